#include "schema/uri.hpp"

#include <gtest/gtest.h>

namespace gibbon::schema {
namespace {

TEST(Url, FallsIntoItsParts) {
  const struct {
    std::string_view text;
    const char *scheme, *host, *port, *path;  ///< Null: absent.
  } cases[] = {
      {"http://h:80/p?q=1#f", "http", "h", "80", "/p"},
      {"https://user:secret@h/p", "https", "h", nullptr, "/p"},
      {"http://[::1]:8080", "http", "::1", "8080", nullptr},
      {"http://[::1]", "http", "::1", nullptr, nullptr},
      {"http://h?x=1", "http", "h", nullptr, nullptr},
      {"http://h:/p", "http", "h", nullptr, "/p"},
      {"//h/p", nullptr, "h", nullptr, "/p"},
      {"h/p", nullptr, nullptr, nullptr, "h/p"},
      {"/p;a=b", nullptr, nullptr, nullptr, "/p"},
      {"h:80", "h", nullptr, nullptr, "80"},
      {"http:///p", "http", nullptr, nullptr, "/p"},
      {"", nullptr, nullptr, nullptr, nullptr},
  };
  const auto text_of = [](const std::optional<std::string>& part) { return part.value_or("(absent)"); };
  const auto wanted = [](const char* part) { return std::string(part == nullptr ? "(absent)" : part); };
  for (const auto& c : cases) {
    const Url url = parse_url(c.text);
    EXPECT_EQ(text_of(url.scheme), wanted(c.scheme)) << c.text;
    EXPECT_EQ(text_of(url.host), wanted(c.host)) << c.text;
    EXPECT_EQ(text_of(url.port), wanted(c.port)) << c.text;
    EXPECT_EQ(text_of(url.path), wanted(c.path)) << c.text;
  }
}

TEST(NormalizePath, MeansTheSame) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"/", "/"},
      {"", ""},
      {"/a", "/a"},
      {"/a/", "/a/"},
      {"/a//b", "/a/b"},
      {"//", "/"},
      {"/.", "/"},
      {"/..", "/"},
      {"/a/.", "/a/"},
      {"/a/..", "/"},
      {"/a/b/..", "/a/"},
      {"/a/./b", "/a/b"},
      {"/a/../b", "/b"},
      {"/../a", "/a"},
      {"/a/%2e%2E/b", "/b"},
      {"/%61%2f", "/a%2F"},
      {"/%zz", "/%zz"},
      {"/a.b/..c", "/a.b/..c"},
      {"/a%20b", "/a b"},
      {"/%25", "/%25"},
      {"/a/..//b", "/b"},
      {"/a/b/../../..", "/"},
  };
  for (const auto& [path, wanted] : cases) EXPECT_EQ(normalize_path(path), wanted) << path;
}

TEST(PercentEncoding, IsCompleteOrNamed) {
  EXPECT_EQ(bad_percent_encoding("/a%20b"), "");
  EXPECT_EQ(bad_percent_encoding("/a%2"), "%2");
  EXPECT_EQ(bad_percent_encoding("/%20%"), "%");
  EXPECT_EQ(bad_percent_encoding("/%zzz"), "%zz");
}

}  // namespace
}  // namespace gibbon::schema
