#include "schema/json_schema.hpp"

#include "../support/cases.hpp"

namespace gibbon::schema {
namespace {

using namespace gibbon::fields;

TEST(JsonSchema, SaysWhatARowSays) {
  const struct {
    Field field;
    std::string_view given;
  } cases[] = {
      {string().required(), R"({"type": "string", "minLength": 1})"},
      {string(), R"({"type": ["string", "null"], "minLength": 1})"},
      {string().required().len_min(0).len_max(5), R"({"type": "string", "maxLength": 5})"},
      {string().required().len_eq(3), R"({"type": "string", "minLength": 3, "maxLength": 3})"},
      {string().required().uuid(), R"({"type": "string", "minLength": 1, "format": "uuid"})"},
      {string().required().starts_with("/a."),
       R"({"type": "string", "minLength": 1, "pattern": "^\\/a\\."})"},
      {string().one_of({"a", "b"}).default_value("a").description("Which."),
       R"({"type": ["string", "null"], "minLength": 1, "description": "Which.", "enum": ["a", "b", null],
           "default": "a"})"},
      {string().required().not_one_of({"env"}),
       R"({"type": "string", "minLength": 1, "not": {"enum": ["env"]}})"},
      {integer().required().between(1, 5).default_value(3),
       R"({"type": "integer", "minimum": 1, "maximum": 5, "default": 3})"},
      {number().required().greater_than(0.5), R"({"type": "number", "exclusiveMinimum": 0.5})"},
      {integer().deprecated({"gone", "4.0"}), R"({"type": ["integer", "null"], "deprecated": true})"},
      {boolean().required(), R"({"type": "boolean"})"},
      {set(string()).required().len_min(1),
       R"({"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": true, "minItems": 1})"},
      {map(string(), integer()).required(),
       R"({"type": "object", "additionalProperties": {"type": "integer"}})"},
      {foreign("services"),
       R"({"type": ["object", "null"], "properties": {"id": {"type": "string", "format": "uuid"}}})"},
      {foreign("consumers").must_be_null(), R"({"type": "null"})"},
      {any_json(), "{}"},
      {record({{"a", boolean()}}).required(),
       R"({"type": "object", "properties": {"a": {"type": ["boolean", "null"]}}, "additionalProperties": false})"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(json::value(json_schema(c.field, Usage::kGiven)), json::parse(c.given)) << c.given;
}

Schema entity() {
  return record({
                    {"id", string().uuid().automatic()},
                    {"host", string().required()},
                    {"port", integer().required().default_value(80)},
                    {"config", record({{"x", boolean()}}).required()},
                    {"snis", array(string()).transient()},
                    {"extra", string().hidden_if_null()},
                })
      .renamed("old_port", integer(), "port");
}

TEST(JsonSchema, TellsWhatIsShownFromWhatIsGiven) {
  const json::object shown = json_schema_without_null(entity(), Usage::kShown);
  EXPECT_EQ(shown.at("required"), json::parse(R"(["id", "host", "port", "config"])"));
  EXPECT_EQ(shown.at("properties").at("id").at("type"), "string");
  EXPECT_TRUE(shown.at("properties").as_object().contains("old_port"));
  Schema with_url = entity();
  with_url.shorthands.clear();
  EXPECT_EQ(required_input(with_url), json::parse(R"(["host"])").as_array());
  with_url.shorthand("url", string(), "url");
  EXPECT_TRUE(required_input(with_url).empty()) << "the url gives the host";
  EXPECT_TRUE(json_schema_without_null(with_url, Usage::kGiven).at("properties").as_object().contains("url"));
  EXPECT_FALSE(
      json_schema_without_null(with_url, Usage::kShown).at("properties").as_object().contains("url"));
  EXPECT_FALSE(json_schema_without_null(with_url, Usage::kGiven).contains("required"));
}

}  // namespace
}  // namespace gibbon::schema
