#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "request-transformer/transform.hpp"
#include "support.hpp"

namespace gibbon::test {
namespace {

using namespace transformers;
using testing::ElementsAre;
using Texts = std::vector<std::string>;

struct Lists {
  Texts remove{}, rename{}, replace{}, add{}, append{};
};
Changes changes(const Lists& l) {
  return {make_rules(l.remove), make_rules(l.rename), make_rules(l.replace), make_rules(l.add), make_rules(l.append)};
}

std::string body(const Lists& lists, const std::string& type, const std::string& text) {
  TableEnvironment environment;
  return transform_body(changes(lists), environment, type, text).value_or("unchanged");
}
std::string json(const Lists& lists, const std::string& text) { return body(lists, "application/json; charset=utf-8", text); }
std::string form(const Lists& lists, const std::string& text) {
  return body(lists, "application/x-www-form-urlencoded", text);
}
std::string query(const Lists& lists, const std::string& text) {
  TableEnvironment environment;
  Arguments arguments(text);
  transform_query(changes(lists), environment, arguments);
  return arguments.sorted();
}
Headers headers(const Lists& lists, const std::vector<std::pair<std::string, std::string>>& all) {
  TableEnvironment environment;
  Headers result;
  for (const auto& [name, value] : all) result.load(name, value);
  transform_headers(changes(lists), environment, result);
  return result;
}

const Lists kAll = {.remove = {"a"}, .rename = {"b:c"}, .replace = {"c:$(headers.x)", "none:1"}, .add = {"a:new", "c:no"},
                    .append = {"c:more"}};

TEST(RequestBody, ChangesJsonInKongsOrder) {
  EXPECT_EQ(json(kAll, R"({"b":"1","a":2,"n":1.0})"), R"({"c":["one","more"],"n":1.0,"a":"new"})");
  EXPECT_EQ(json({.add = {"a:1"}}, ""), R"({"a":"1"})") << "an empty body is an empty object";
  EXPECT_EQ(json({.remove = {"a"}}, ""), "unchanged");
  EXPECT_EQ(json({.replace = {"a:1"}}, R"({"b": 1})"), "unchanged");
  EXPECT_EQ(json({.replace = {"a:1"}}, R"({"a": false})"), "unchanged");
  EXPECT_EQ(json({.add = {"a:1"}}, R"({"a": false})"), R"({"a":"1"})");
  EXPECT_EQ(json({.rename = {"a:a"}}, R"({"a": 1})"), "unchanged");
  EXPECT_EQ(json({.rename = {"a:$(headers.x)"}}, R"({"a": 1})"), R"({"one":1})");
  EXPECT_EQ(json({.add = {"q:\"x\\"}}, "{}"), R"({"q":"\"x\\"})");
}

TEST(RequestBody, LeavesWhatIsNoObject) {
  for (const char* text : {"[1, 2]", "not json", "{\"a\":", "\xff"}) EXPECT_EQ(json(kAll, text), "unchanged") << text;
  EXPECT_THROW(json(kAll, "5"), RenderError);
  EXPECT_EQ(body(kAll, "text/plain", "{}"), "unchanged");
  EXPECT_EQ(json({}, "{}"), "unchanged");
}

TEST(RequestBody, ChangesForms) {
  EXPECT_EQ(form(kAll, "z=%20&b=1&a=2&a=3&f"), "z=%20&c=one&c=more&f&a=new");
  EXPECT_EQ(form({.add = {"a:x y/&="}}, ""), "a=x%20y%2F%26%3D");
  EXPECT_EQ(form({.append = {"a:2", "f:1"}}, "a=1+1&f&e="), "a=1%201&a=2&f=1&e=");
  EXPECT_EQ(form({.replace = {"b:1"}}, "a=1"), "unchanged");
  EXPECT_EQ(form({.remove = {"a"}}, "a=1"), "");
}

TEST(RequestBody, ChangesMultipart) {
  const std::string type = "multipart/form-data; boundary=\"xx\"";
  const auto part = [](const std::string& name, const std::string& value) {
    return "--xx\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
  };
  const std::string file =
      "--xx\r\nContent-Disposition: form-data; filename=\"f\"; name=\"f\"\r\nContent-Type: text/plain\r\n\r\n\r\n--x\r\n\r\n\r\n";
  const std::string end = "--xx--\r\n", text = part("a", "1") + file + part("b", "2") + end;
  EXPECT_EQ(body({.remove = {"a"}}, type, text), file + part("b", "2") + end);
  EXPECT_EQ(body({.rename = {"a:c"}}, type, text), file + part("b", "2") + part("c", "1") + end);
  EXPECT_EQ(body({.replace = {"a:$(headers.x)"}}, type, text), file + part("b", "2") + part("a", "one") + end);
  EXPECT_EQ(body({.add = {"a:no", "d:4"}}, type, text), part("a", "1") + file + part("b", "2") + part("d", "4") + end);
  EXPECT_EQ(body({.append = {"a:2"}}, type, text), "unchanged") << "as Kong: nothing is appended";
  EXPECT_EQ(body({.remove = {"a"}}, type, part("a", "1") + end), "");
  EXPECT_EQ(body({.add = {"a:1"}}, "multipart/form-data", text), "unchanged") << "no boundary";
  EXPECT_EQ(body({.remove = {"a"}}, type, part("a", "1") + part("a", "2") + end), part("a", "1") + end);
}

TEST(RequestQuery, ChangesInKongsOrderAndSorts) {
  EXPECT_EQ(query(kAll, "z=1&b=1&a=2"), "a=new&c=one&c=more&z=1");
  EXPECT_EQ(query({.append = {"a:2"}}, "a&b=x%2By"), "a=2&b=x%2By");
  EXPECT_EQ(query({.remove = {"a"}}, "a=1&a=2&A=3"), "A=3");
  EXPECT_EQ(query({.rename = {"a:b"}}, "a=1&a=2&b=3&=4&&"), "b=1&b=2");
}

TEST(RequestHeaders, ChangeByNamesInAnyCase) {
  const Headers result = headers({.remove = {"x-gone", "none"},
                                  .rename = {"X-Old:X-New", "X-Case:x-cASE", "host:x-host"},
                                  .replace = {"x-rep:2", "x-none:2", "host:other"},
                                  .add = {"X-REP:no", "X-Gone:back", "Host:no"},
                                  .append = {"X-Many:$(headers.x)", "x-first:1"}},
                                 {{"Host", "h"}, {"X-Gone", "1"}, {"x_old", "1"}, {"X-Old", "2"}, {"x-case", "1"},
                                  {"x-rep", "1"}, {"x-many", "0"}, {"stays", "1"}});
  const auto values = [&](const char* name) { return result.find(name) ? result.find(name)->values : Texts{}; };
  EXPECT_THAT(values("x-new"), ElementsAre("1", "2"));
  EXPECT_EQ(result.find("x-case")->name, "x-cASE");
  EXPECT_THAT(values("x-rep"), ElementsAre("2"));
  EXPECT_THAT(values("host"), ElementsAre("other"));
  EXPECT_THAT(values("x-gone"), ElementsAre("back"));
  EXPECT_THAT(values("x-many"), ElementsAre("0", "one"));
  EXPECT_THAT(values("x-first"), ElementsAre("1"));
  EXPECT_FALSE(result.find("stays")->changed);
  EXPECT_EQ(result.find("x-old"), nullptr);
  EXPECT_EQ(result.find("x-none"), nullptr);
  EXPECT_EQ(result.find("x-host"), nullptr);
  EXPECT_THAT(result.removed(), ElementsAre("x-gone", "X-Old", "X-Case"));
}

TEST(RequestValues, PartAtTheFirstColons) {
  EXPECT_EQ(json({.add = {"a:b:c", "d::e", "f:"}}, "{}"), R"({"a":"b:c","d":"e"})");
}

TEST(RequestValues, AreCheckedAsKongDoes) {
  EXPECT_EQ(check_value("a"), "key 'a' has no value");
  EXPECT_EQ(check_value("a::"), "key 'a' has no value");
  EXPECT_EQ(check_value("a:b"), std::nullopt);
  EXPECT_EQ(check_value("a:$(x y)"),
            "value '$(x y)' is not in supported format, error:character 3: 'x' is not known here");
}

TEST(RequestRules, SayWhichTemplateFailed) {
  try {
    json({.add = {"a:$(headers.none.x)"}}, "{}");
    FAIL();
  } catch (const RenderError& e) {
    EXPECT_STREQ(e.what(), "[request-transformer] failed to render the template $(headers.none.x), error:"
                           "attempt to index a nil value");
  }
}

}  // namespace
}  // namespace gibbon::test
