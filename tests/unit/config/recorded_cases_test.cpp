// What Kong refused and took, against our rows: tests/cases/schema_*.json.
#include <algorithm>
#include <cmath>

#include "../support/cases.hpp"
#include "config/entity_schemas.hpp"
#include "../support/plugin_rows.hpp"
#include "schema/describe.hpp"
#include "schema/form.hpp"
#include "schema/metaschema.hpp"
#include "schema/validate.hpp"

namespace gibbon::config {
namespace {

/// The schema that a case is checked against: for plugins it depends on the name.
Schema schema_for(const std::string& entity, const json::object& input, const json::value* stored) {
  if (entity != "plugins") return *entity_schema(entity);
  const json::value* name = input.if_contains("name");
  if (name == nullptr && stored != nullptr) name = &stored->at("name");
  if (name == nullptr || !name->is_string()) return plugin_schema();
  const auto rows = test::plugin_rows().find(std::string(name->get_string()));
  return rows == test::plugin_rows().end() ? plugin_schema() : plugin_entity_schema(rows->second);
}

schema::Checked run(const json::object& c) {
  const json::value* stored = c.if_contains("stored");
  json::object input;
  std::vector<std::pair<std::string, std::string>> form;
  if (c.contains("json")) {
    input = c.at("json").as_object();
  } else {
    for (const json::value& pair : c.at("form").as_array()) {
      form.emplace_back(pair.at(0).as_string(), pair.at(1).as_string());
      if (form.back().first == "name") input["name"] = form.back().second;
    }
  }
  const Schema schema = schema_for(std::string(c.at("entity").as_string()), input, stored);
  if (!c.contains("json")) input = schema::from_form(schema, form);
  if (c.contains("given")) {
    for (const auto& member : c.at("given").as_object()) input[member.key()] = member.value();
  }
  if (c.at("operation") == "update") return schema::check_update(schema, stored->as_object(), input);
  if (c.at("operation") == "upsert") return schema::check_upsert(schema, input, nullptr);
  return schema::check_insert(schema, input);
}

TEST(RecordedCases, AreRefusedInKongsWords) {
  const json::object cases = test::load_cases("schema_violations.json");
  ASSERT_GE(cases.at("cases").as_array().size(), 22U);
  for (const json::value& c : cases.at("cases").as_array()) {
    const schema::Checked checked = run(c.as_object());
    EXPECT_EQ(json::value(checked.violations.to_json()), c.at("answer")) << c.at("title");
  }
}

/// What depends on when and by whom the case was recorded.
json::object without_time_and_id(json::object entity, const json::object& c) {
  entity.erase("created_at");
  entity.erase("updated_at");
  const bool has_id = c.at("operation") == "update" ||
                      (c.contains("given") && c.at("given").as_object().contains("id")) ||
                      (c.contains("json") && c.at("json").as_object().contains("id"));
  if (!has_id) entity.erase("id");
  return entity;
}

TEST(RecordedCases, AreTakenWithKongsDefaults) {
  const json::object cases = test::load_cases("schema_accepted.json");
  ASSERT_GE(cases.at("cases").as_array().size(), 31U);
  for (const json::value& value : cases.at("cases").as_array()) {
    const json::object& c = value.as_object();
    const schema::Checked checked = run(c);
    EXPECT_TRUE(checked.ok()) << c.at("title") << ": " << checked.violations.message();
    EXPECT_EQ(json::value(without_time_and_id(checked.entity, c)),
              json::value(without_time_and_id(c.at("answer").as_object(), c)))
        << c.at("title");
    EXPECT_GE(checked.entity.at("updated_at").as_int64(), checked.entity.at("created_at").as_int64())
        << c.at("title");
    EXPECT_EQ(checked.entity.at("id").as_string().size(), 36U) << c.at("title");
  }
}

TEST(Rules, SayWhatIsWrong) {
  const json::object cases = test::load_cases("schema_rules.json");
  ASSERT_GE(cases.at("cases").as_array().size(), 70U);
  for (const json::value& c : cases.at("cases").as_array()) {
    const Schema& schema = *entity_schema(std::string_view(c.at("entity").as_string()));
    const schema::Checked checked = schema::check_insert(schema, c.at("json").as_object());
    const json::value wanted = c.at("fields").is_null() ? json::value(json::object()) : c.at("fields");
    EXPECT_EQ(json::value(checked.violations.fields), wanted) << c.at("title");
  }
}

/// `names`: members that are dropped where they describe a field.
void drop(json::value& value, const std::vector<std::string>& names) {
  if (value.is_array()) {
    for (json::value& element : value.get_array()) drop(element, names);
  } else if (value.is_object()) {
    if (value.get_object().contains("type"))
      for (const std::string& name : names) value.get_object().erase(name);
    for (auto& member : value.get_object()) drop(member.value(), names);
  }
}

TEST(EntitySchemas, DescribeThemselvesAsKongDoes) {
  const json::object recorded = test::load_cases("schema_recorded.json");
  for (const auto& [name, theirs] : recorded.at("entities").as_object()) {
    ASSERT_NE(entity_schema(name), nullptr) << name;
    json::value ours = schema::describe(*entity_schema(name));
    drop(ours, {"description"});
    EXPECT_EQ(ours.at("entity_checks"), theirs.at("entity_checks")) << name;
    ASSERT_EQ(ours.at("fields").as_array().size(), theirs.at("fields").as_array().size()) << name;
    for (std::size_t i = 0; i < theirs.at("fields").as_array().size(); ++i) {
      EXPECT_EQ(ours.at("fields").at(i), theirs.at("fields").at(i)) << name;
    }
  }
}

TEST(PluginSchemas, DescribeThemselvesAsKongDoes) {
  const json::object recorded = test::load_cases("schema_recorded.json").at("plugins").as_object();
  ASSERT_EQ(recorded.size(), test::plugin_rows().size());
  for (const auto& [name, theirs] : recorded) {
    ASSERT_TRUE(test::plugin_rows().contains(name)) << name;
    json::value ours = schema::describe_plugin(test::plugin_rows().at(name));
    drop(ours, {"description"});
    if (name != "http-log") drop(ours, {"encrypted", "deprecation"});
    EXPECT_EQ(ours, theirs) << name;
  }
}

TEST(Schemas, HaveNoMistakes) {
  const std::vector<std::string> none;
  for (const Entity& entity : core_entities())
    EXPECT_EQ(schema::mistakes_in(entity.schema), none) << entity.name;
  for (const auto& [name, config] : test::plugin_rows()) EXPECT_EQ(schema::mistakes_in(config), none) << name;
}

TEST(EntitySchemas, SayWhatEachFieldIsFor) {
  for (const Entity& entity : core_entities()) {
    EXPECT_TRUE(entity.description.ends_with('.')) << entity.name;
    for (const NamedField& row : entity.schema.fields) {
      EXPECT_GE(row.field.description_text.size(), 10U) << entity.name << "." << row.name;
      EXPECT_LE(row.field.description_text.size(), 500U) << entity.name << "." << row.name;
    }
  }
  EXPECT_EQ(entity_schema("nope"), nullptr);
}

}  // namespace
}  // namespace gibbon::config
