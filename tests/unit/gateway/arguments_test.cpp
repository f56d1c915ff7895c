#include "gateway/request/arguments.hpp"

#include <gtest/gtest.h>

namespace gibbon::gateway {
namespace {

using Kind = Parameter::Kind;

struct Case {
  std::string_view type, text, name;
  Kind kind;
  std::string_view value;
  std::string_view rest;  ///< Without the name.
};

constexpr std::string_view kForm = "application/x-www-form-urlencoded; charset=utf-8";
constexpr std::string_view kJson = "Application/JSON";
constexpr std::string_view kParts = "multipart/form-data; boundary=\"b b\"";

const Case kCases[] = {
    {kForm, "k=1", "k", Kind::kText, "1", ""},
    {kForm, "k=1&a=2", "k", Kind::kText, "1", "a=2"},
    {kForm, "a=2&k=1", "k", Kind::kText, "1", "a=2"},
    {kForm, "a=2&k=1&b=3", "k", Kind::kText, "1", "a=2&b=3"},
    {kForm, "%6b=a%20b+c%3D&&a", "k", Kind::kText, "a b c=", "a"},
    {kForm, "k&a", "k", Kind::kFlag, "", "a"},
    {kForm, "k=", "k", Kind::kText, "", ""},
    {kForm, "k=1&k=2&a=3&k", "k", Kind::kRepeated, "", "a=3"},
    {kForm, "K=1&kk=2", "k", Kind::kMissing, "", "K=1&kk=2"},
    {kForm, "", "k", Kind::kMissing, "", ""},
    {kJson, R"({"k":"1"})", "k", Kind::kText, "1", "{}"},
    {kJson, R"( { "k" : "\u0041\"}" , "a":[1,{"k":2}] } )", "k", Kind::kText, "A\"}",
     R"( { "a":[1,{"k":2}] } )"},
    {kJson, R"({"a":"k","k":"1","b":"}"})", "k", Kind::kText, "1", R"({"a":"k","b":"}"})"},
    {kJson, R"({"a":1.0,"k":"1","k":"2"})", "k", Kind::kText, "2", R"({"a":1.0})"},
    {kJson, R"({"k":"1","k":"2"})", "k", Kind::kText, "2", "{}"},
    {kJson, R"({"k":["1"]})", "k", Kind::kRepeated, "", "{}"},
    {kJson, R"({"k":{}})", "k", Kind::kRepeated, "", "{}"},
    {kJson, R"({"k":true})", "k", Kind::kFlag, "", "{}"},
    {kJson, R"({"k":-1.5e3 ,"a":null})", "k", Kind::kFlag, "", R"({"a":null})"},
    {kJson, R"({"a":{"k":"1"}})", "k", Kind::kMissing, "", R"({"a":{"k":"1"}})"},
    {kJson, R"(["k"])", "k", Kind::kMissing, "", R"(["k"])"},
    {kJson, R"({"k":"1")", "k", Kind::kMissing, "", R"({"k":"1")"},
    {kJson, "{}", "k", Kind::kMissing, "", "{}"},
    {kParts,
     "--b b\r\ncontent-disposition: form-data; name=\"k\"\r\n\r\n1\r\n2\r\n--b b\r\nContent-Disposition: "
     "form-data; name=a\r\n\r\n3\r\n--b b--\r\n",
     "k", Kind::kText, "1\r\n2", "--b b\r\nContent-Disposition: form-data; name=a\r\n\r\n3\r\n--b b--\r\n"},
    {kParts,
     "--b b\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\n\r\n--b b\r\nX: y\r\nContent-Disposition: "
     "form-data; name=\"k\"\r\n\r\n3\r\n--b b--\r\n",
     "k", Kind::kRepeated, "", "--b b--\r\n"},
    {kParts, "--b b\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\n1", "k", Kind::kMissing, "",
     "--b b\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\n1"},
    {"text/plain", "k=1", "k", Kind::kMissing, "", "k=1"},
    {"", "k=1", "k", Kind::kMissing, "", "k=1"},
};

TEST(Arguments, AreFoundAndTakenOut) {
  for (const Case& c : kCases) {
    const Found found = find_body_field(c.type, c.text, c.name);
    EXPECT_EQ(found.kind, c.kind) << c.text;
    if (c.kind == Kind::kText) {
      EXPECT_EQ(found.text, c.value) << c.text;
    }
    EXPECT_EQ(without(c.text, found.members), c.rest) << c.text;
  }
}

TEST(Arguments, ValuesStandWhereTheyAreSaidTo) {
  const std::string_view json = R"({"a": 1, "k" : "xyz"})";
  const Found found = find_body_field(kJson, json, "k");
  ASSERT_EQ(found.values.size(), 1U);
  EXPECT_EQ(json.substr(found.values[0].begin, found.values[0].end - found.values[0].begin), "\"xyz\"");
}

TEST(Arguments, AreGoneThroughInTheirOrder) {
  const auto listed = [](std::string_view query) {
    std::string list;
    const auto add = [&list](std::string_view name, std::string_view value, bool has_value) {
      list.append("[").append(name).append(has_value ? "=" : "").append(value).append("]");
    };
    each_argument(query, add);
    return list;
  };
  EXPECT_EQ(listed("b=2&a=1&b=%33+x&c&d="), "[b=2][a=1][b=3 x][c][d=]");
  EXPECT_EQ(listed("&&=nameless&=&a=b=c"), "[a=b=c]");
  EXPECT_EQ(listed("%61%20=%zz&b=%4"), "[a =%zz][b=%4]");
  EXPECT_EQ(listed(""), "");
}

TEST(Arguments, SecretsAreRedactedInATarget) {
  const std::vector<std::string> names = {"apikey", "x-token"};
  const auto redacted = [&](std::string_view target) {
    std::string out = "untouched";
    return redact_arguments(target, names, out) ? out : "no: " + out;
  };
  EXPECT_EQ(redacted("/p?apikey=1"), "/p?apikey=%5BREDACTED%5D");
  EXPECT_EQ(redacted("/p?a=1&ApiKey=1&b=2&x-token=3"),
            "/p?a=1&ApiKey=%5BREDACTED%5D&b=2&x-token=%5BREDACTED%5D");
  EXPECT_EQ(redacted("/p?%61pikey=a=b?c"), "/p?%61pikey=%5BREDACTED%5D");
  EXPECT_EQ(redacted("/p?a=1"), "no: untouched");
  EXPECT_EQ(redacted("/apikey=1"), "no: untouched");
  EXPECT_EQ(redacted("/p?apikey=&apikey"), "no: untouched");
  std::string out;
  EXPECT_FALSE(redact_arguments("/p?apikey=1", {}, out));
}

/// Whatever the bytes are, nothing is read beyond them: run with sanitizers.
TEST(Arguments, AnyBeginningOfABodyIsSafe) {
  for (const Case& c : kCases)
    for (std::size_t n = 0; n <= c.text.size(); ++n) {
      const std::string text(c.text.substr(0, n));
      const Found found = find_body_field(c.type, text, c.name);
      EXPECT_LE(without(text, found.members).size(), n);
      for (const Piece& value : found.values) EXPECT_LE(value.end, n);
    }
}

}  // namespace
}  // namespace gibbon::gateway
