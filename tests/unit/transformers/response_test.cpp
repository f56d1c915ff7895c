#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "response-transformer/transform.hpp"

namespace gibbon::test {
namespace {

using namespace transformers;
using Texts = std::vector<std::string>;

std::vector<std::string> steps(const HeaderRules& rules, const HeaderPairs& headers) {
  std::vector<std::string> out;
  for (const HeaderStep& step : header_steps(rules, headers)) {
    const char* kind = step.kind == HeaderStep::Kind::kClear ? "clear " : step.kind == HeaderStep::Kind::kSet ? "set " : "add ";
    out.push_back(kind + step.name + (step.value.empty() ? "" : "=" + step.value));
  }
  return out;
}

TEST(ResponseHeaders, ChangeInKongsOrderByWhatCame) {
  const HeaderPairs came = {{"A", "1"}, {"B", "2"}, {"b", "3"}, {"C", "4"}};
  const HeaderRules rules = {.remove = split_pairs({"a", "none"}), .rename = split_pairs({"b:X", "none:Y"}),
                             .replace = split_pairs({"c:5", "none:6"}), .add = split_pairs({"a:7", "new:8", "empty:"}),
                             .append = split_pairs({"c:9", "empty:"})};
  EXPECT_THAT(steps(rules, came), testing::ElementsAre("clear a", "clear none", "clear b", "set X=2", "add X=3", "set c=5",
                                                       "set new=8", "add c=9"));
}

TEST(ResponseBody, IsJsonByItsType) {
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "application/problem+json",
                           "text/html, application/json", "application/json;a=\"x;\\\"y\"; b=c"})
    EXPECT_TRUE(is_json_type(type)) << type;
  for (const char* type : {"", "text/json", "application/jsonx", "application/json;", "application/json; charset",
                           "application/json-seq", "application/", "application", "application/json; a=\"x"})
    EXPECT_FALSE(is_json_type(type)) << type;
}

TEST(ResponseBody, GetsValuesOfTheirTypes) {
  EXPECT_EQ(json_value("a\"b/c", ""), R"("a\"b/c")");
  EXPECT_EQ(json_value("a\\b", "string"), R"("a\\\\b")") << "Kong escapes twice";
  EXPECT_EQ(json_value("", ""), R"("null")");
  EXPECT_EQ(json_value("true", "boolean"), "true");
  EXPECT_EQ(json_value("yes", "boolean"), "false");
  EXPECT_EQ(json_value("9007199254740993", "number"), "9007199254740993");
  EXPECT_EQ(json_value("1.50", "number"), "1.50");
  EXPECT_EQ(json_value("0x10", "number"), "16");
  EXPECT_EQ(json_value("+5", "number"), "5");
  EXPECT_EQ(json_value("five", "number"), std::nullopt);
  EXPECT_EQ(json_value("nan", "number"), std::nullopt);
  EXPECT_EQ(json_value("", "number"), std::nullopt);
}

TEST(ResponseBody, ChangesInKongsOrder) {
  const JsonRules rules = {.remove = split_pairs({"a"}), .rename = split_pairs({"b:c", "none:x"}),
                           .replace = json_rules({"c:1", "none:1", "d:x"}, {"number", "number", "number"}),
                           .add = json_rules({"a:true", "c:no"}, {"boolean"}),
                           .append = json_rules({"c:2", "d:3"}, {"number"})};
  EXPECT_EQ(transform_json(rules, R"({"n":1e2,"b":false,"a":1,"d":"s"})"), R"({"n":1e2,"c":["no",2],"d":["s","3"],"a":true})")
      << "a member that is false is not there, for replacing and adding";
  EXPECT_EQ(transform_json(rules, R"([{"a": 1}])"), R"([{"a": 1}])");
  for (const char* text : {"", "5", "null", "<html>"}) EXPECT_EQ(transform_json(rules, text), std::nullopt) << text;
}

}  // namespace
}  // namespace gibbon::test
