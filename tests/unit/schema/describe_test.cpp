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

TEST(Describe, ShowsWhatIsOnItsWayOut) {
  const Schema schema = record({{"redis", record({{"host", string()}})},
                                {"old", integer().deprecated({"gone", "4.0", Literal(false)})}})
                            .renamed("redis_host", string().deprecated({"moved", "4.0"}), "redis.host");
  const json::object shown = describe_plugin(schema);
  const json::value& config = shown.at("fields").at(0).at("config");
  EXPECT_EQ(config.at("fields").at(1),
            json::parse(
                R"({"old": {"type": "integer", "deprecation": {"message": "gone", "removal_in_version": "4.0",
                            "old_default": false}}})"));
  EXPECT_EQ(config.at("shorthand_fields"),
            json::parse(R"([{"redis_host": {"type": "string", "deprecation": {"message": "moved",
                "removal_in_version": "4.0", "replaced_with": [{"path": ["redis", "host"]}]}}}])"));
}

TEST(Describe, PutsAPluginsChecksWhereTheyBelong) {
  using Kind = EntityCheck::Kind;
  const Schema config =
      record({{"a", string()}, {"b", string()}})
          .check({.kind = Kind::kAtLeastOneOf, .fields = {"a", "b"}})
          .own_check({.kind = Kind::kMutuallyExclusiveSets, .fields = {"a"}, .else_fields = {"b"}})
          .in_entity({{"consumer", foreign("consumers").must_be_null()}});
  const json::value nested = json::parse(R"([{"mutually_exclusive_sets": {"set1": ["a"], "set2": ["b"]}}])");
  const json::object shown = describe_plugin(config);
  EXPECT_EQ(shown.at("entity_checks"), json::parse(R"([{"at_least_one_of": ["config.a", "config.b"]}])"));
  EXPECT_EQ(shown.at("fields").at(0),
            json::parse(R"({"consumer": {"type": "foreign", "reference": "consumers", "eq": null}})"));
  EXPECT_EQ(shown.at("fields").at(1).at("config").at("entity_checks"), nested);
  const json::object alone = describe_plugin_config(config);
  EXPECT_EQ(alone.at("entity_checks"), nested);
  EXPECT_EQ(alone.at("fields").as_array().size(), 2U);
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
