#include "schema/describe.hpp"

#include "../support/cases.hpp"
#include "../support/recorded_schema.hpp"

namespace gibbon::schema {
namespace {

using namespace gibbon::fields;

TEST(Describe, HoldsEveryRecordedEntity) {
  const json::object recorded = test::load_cases("schema_recorded.json");
  for (const auto& [name, described] : recorded.at("entities").as_object()) {
    EXPECT_EQ(json::value(describe(test::schema_from(described.as_object()))), described) << name;
  }
}

TEST(Describe, HoldsEveryRecordedPlugin) {
  const json::object recorded = test::load_cases("schema_recorded.json");
  for (const auto& [name, described] : recorded.at("plugins").as_object()) {
    const json::object ours = describe_plugin(test::config_from(described.as_object()));
    EXPECT_EQ(ours.at("entity_checks"), described.at("entity_checks")) << name;
    for (const json::value& row : described.at("fields").as_array()) {
      if (!row.as_object().contains("config")) continue;
      EXPECT_EQ(ours.at("fields").as_array().at(0), row) << name;
    }
  }
}

TEST(Describe, ShowsDescriptionsAndSecrecy) {
  const Schema schema =
      record({{"key", string().required().encrypted().referenceable().description("A key.")}});
  EXPECT_EQ(json::value(describe(schema)), json::parse(R"({"entity_checks": [], "fields": [{"key":
      {"type": "string", "required": true, "encrypted": true, "referenceable": true, "description": "A key."}}]})"));
}

TEST(Describe, FindsRowsByWhatTheyAre) {
  const Schema schema = record({{"id", string().uuid()},
                                {"name", string().unique()},
                                {"host", string().immutable()},
                                {"service", foreign("services")}});
  EXPECT_EQ(unique_fields(schema).at(0)->name, "name");
  EXPECT_EQ(immutable_fields(schema).at(0)->name, "host");
  ASSERT_EQ(foreign_fields(schema).size(), 1U);
  EXPECT_EQ(foreign_fields(schema).at(0)->field.referenced_entity, "services");
  EXPECT_NE(find_field(schema, "host"), nullptr);
  EXPECT_EQ(find_field(schema, "nope"), nullptr);
}

}  // namespace
}  // namespace gibbon::schema
