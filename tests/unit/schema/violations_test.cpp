#include "schema/violations.hpp"

#include "../support/cases.hpp"

namespace gibbon::schema {
namespace {

std::string message_of(std::string_view fields) { return Violations{test::object_of(fields)}.message(); }

TEST(Violations, SaysWhatKongSays) {
  EXPECT_EQ(message_of(R"({"a": "x"})"), "schema violation (a: x)");
  EXPECT_EQ(message_of(R"({"b": "y", "a": "x"})"), "2 schema violations (a: x; b: y)");
  EXPECT_EQ(message_of(R"({"config": {"b": "y", "a": "x"}})"),
            "2 schema violations (config.a: x; config.b: y)");
  EXPECT_EQ(message_of(R"({"paths": [null, "x"]})"), "schema violation (paths.2: x)");
  EXPECT_EQ(message_of(R"({"b": "y", "@entity": ["whole", "also"]})"),
            "3 schema violations (whole; also; b: y)");
}

TEST(Violations, PrintsWhatIsDeeperAsLuaTables) {
  EXPECT_EQ(message_of(R"({"config": {"queue": {"b": "y", "a-b": "x"}}})"),
            "schema violation (config.queue: {\n  [\"a-b\"] = \"x\",\n  b = \"y\"\n})");
  EXPECT_EQ(message_of(R"({"config": {"list": ["x", null, "y"]}})"),
            "schema violation (config.list: {\n  \"x\",\n  [3] = \"y\"\n})");
  EXPECT_EQ(message_of(R"({"config": {"a": {"b": {"c": "say \"x\""}}}})"),
            "schema violation (config.a: {\n  b = {\n    c = \"say \\\"x\\\"\"\n  }\n})");
}

TEST(Violations, MakesTheBodyOfTheAnswer) {
  Violations violations;
  EXPECT_TRUE(violations.empty());
  violations.add("name", "plugin 'x' not enabled");
  violations.add_entity("whole");
  EXPECT_EQ(json::value(violations.to_json()), json::parse(R"json({"code": 2, "name": "schema violation",
                            "fields": {"name": "plugin 'x' not enabled", "@entity": ["whole"]},
                            "message": "2 schema violations (whole; name: plugin 'x' not enabled)"})json"));
}

TEST(Violations, PrintsKeysOnOneLine) {
  EXPECT_EQ(lua_text(json::parse(R"({"id": "1"})")), "{id=\"1\"}");
  EXPECT_EQ(lua_text(json::parse(R"({"service": {"id": "1"}, "route": null, "name": "x"})")),
            "{name=\"x\",route=null,service={id=\"1\"}}");
  EXPECT_EQ(lua_text(json::parse(R"([{"a": 5}, {}])")), "{{a=5},{}}");
}

}  // namespace
}  // namespace gibbon::schema
