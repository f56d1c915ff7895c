#include "gateway/router/path.hpp"

#include <gtest/gtest.h>

namespace gibbon::gateway {
namespace {

struct Case { const char *given, *expected; };

class NormalizePath : public testing::TestWithParam<Case> {};

TEST_P(NormalizePath, AsKongDoes) {
  std::string buffer;
  EXPECT_EQ(normalize_path(GetParam().given, buffer), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, NormalizePath,
    testing::Values(Case{"/", "/"}, Case{"", ""}, Case{"/a/b", "/a/b"}, Case{"/a/", "/a/"},
                    // Slashes are merged, dot segments resolved.
                    Case{"//", "/"}, Case{"/a//b///c", "/a/b/c"}, Case{"/a/./b", "/a/b"}, Case{"/a/../b", "/b"},
                    Case{"/a/b/..", "/a/"}, Case{"/a/.", "/a/"}, Case{"/..", "/"}, Case{"/../../a", "/a"},
                    Case{"/a//../b", "/b"}, Case{"/a/...", "/a/..."}, Case{"/.hidden/a", "/.hidden/a"},
                    Case{"/a..b/c.", "/a..b/c."}, Case{"/a/%2e%2E/b", "/b"}, Case{"/%2e", "/"},
                    // Reserved bytes keep their code, in upper case; all others are decoded.
                    Case{"/a%2fb", "/a%2Fb"}, Case{"/%41%7e", "/A~"}, Case{"/a%20b", "/a b"}, Case{"/%25%3f", "/%25%3F"},
                    Case{"/%C3%A9", "/\xC3\xA9"}, Case{"/%e2%82%ac", "/\xE2\x82\xAC"}, Case{"/%22%3c", "/\"<"},
                    // What is no code stays.
                    Case{"/%", "/%"}, Case{"/%4", "/%4"}, Case{"/%zz", "/%zz"}, Case{"/%%41", "/%A"}, Case{"*", "*"}));

TEST(NormalizePath, ReturnsThePathItselfWhereNothingIsToDo) {
  const std::string path = "/api/v1.0/items";
  std::string buffer;
  EXPECT_EQ(normalize_path(path, buffer).data(), path.data());
}

TEST(NormalizePath, DecodesANulByteWhichGoesOutEncodedAgain) {
  std::string buffer, out;
  const std::string_view path = normalize_path("/a%00b", buffer);
  EXPECT_EQ(path, std::string_view("/a\0b", 4));
  append_upstream_path({}, "", path, 0, out);
  EXPECT_EQ(out, "/a%00b");
}

TEST(PathOf, EndsAtTheQuery) {
  EXPECT_EQ(path_of("/a?b=/c?d"), "/a");
  EXPECT_EQ(path_of("/a"), "/a");
  EXPECT_EQ(path_of("/?"), "/");
  EXPECT_EQ(path_of(""), "");
}

struct Join {
  bool strip, v1;
  const char *service, *path;
  std::size_t matched;
  const char* expected;
};

class UpstreamPath : public testing::TestWithParam<Join> {};

TEST_P(UpstreamPath, JoinsServiceAndRequest) {
  const Join& join = GetParam();
  config::Route route;
  route.strip_path = join.strip;
  route.path_handling_v1 = join.v1;
  std::string out = "http:";
  append_upstream_path(route, join.service, join.path, join.matched, out);
  EXPECT_EQ(out, std::string("http:") + join.expected);
}

// What the recorded cases leave open.
INSTANTIATE_TEST_SUITE_P(
    Table, UpstreamPath,
    testing::Values(Join{true, false, "", "/api", 4, "/"}, Join{true, false, "", "/api/", 4, "/"},
                    Join{true, false, "/s", "/api/", 4, "/s/"}, Join{true, false, "/s", "/api/", 5, "/s/"},
                    Join{true, false, "/s", "/", 1, "/s"}, Join{true, false, "/s/", "/api", 4, "/s"},
                    Join{true, true, "/s", "/api/x", 4, "/s/x"}, Join{true, true, "/s/", "/api/x", 4, "/s/x"},
                    Join{true, true, "/s", "/api", 4, "/s"}, Join{true, false, "/s", "/api/..", 5, "/s"},
                    Join{true, false, "/s", "/a b/c d", 4, "/s/c%20d"}, Join{false, false, "/s", "/\xC3\xA9|", 2, "/s/%C3%A9%7C"},
                    Join{false, false, "/s", "", 0, "/s"}, Join{true, false, "/s", "", 0, "/s"}));

TEST(UpstreamPath, KeepsAnEncodedSlash) {
  std::string buffer, out;
  append_upstream_path({}, "/base", normalize_path("/echo/a%2fb%20c", buffer), 5, out);
  EXPECT_EQ(out, "/base/a%2Fb%20c");
}

}  // namespace
}  // namespace gibbon::gateway
