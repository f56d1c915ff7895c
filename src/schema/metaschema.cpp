#include "schema/metaschema.hpp"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string_view>
#include <variant>

#include "schema/custom_checks.hpp"
#include "schema/field_rules.hpp"
#include "schema/formats.hpp"
#include "schema/records.hpp"

namespace gibbon::schema {
namespace {

constexpr std::size_t kMaxDescription = 500;  ///< Kong's.

bool is_one_of(FieldType type, std::initializer_list<FieldType> types) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

bool is_number(FieldType type) { return is_one_of(type, {FieldType::kNumber, FieldType::kInteger}); }
bool is_list(FieldType type) { return is_one_of(type, {FieldType::kArray, FieldType::kSet}); }

class Inspector {
 public:
  void look_at_record(const Field& record, const std::string& name) {
    std::set<std::string_view> names;
    for (const NamedField& row : record.fields) {
      const std::string path = name.empty() ? row.name : name + "." + row.name;
      if (row.name.empty()) report(name, "a row has no name");
      if (!names.insert(row.name).second) report(path, "there are two rows of this name");
      look_at(row.field, path);
    }
    for (const auto* checks : {&record.checks, &record.own_checks})
      for (const EntityCheck& check : *checks) look_at_check(record, nullptr, check, name);
    for (const Shorthand& shorthand : record.shorthands) {
      const std::string path = name.empty() ? shorthand.name : name + "." + shorthand.name;
      if (names.contains(shorthand.name)) report(path, "a row has this name too");
      if (!shorthand.path.empty() && find_row_by_path(record, nullptr, shorthand.path) == nullptr)
        report(path, "there is no field '" + shorthand.path + "'");
      look_at(shorthand.value, path);
    }
    if (!record.subschema_key.empty() && !names.contains(record.subschema_key))
      report(name, "there is no field '" + record.subschema_key + "' to choose a subschema by");
    for (const Subschema& subschema : record.subschemas) {
      for (const NamedField& row : subschema.fields) look_at(row.field, row.name);
      for (const EntityCheck& check : subschema.checks) look_at_check(record, &subschema, check, name);
    }
  }

  std::vector<std::string> mistakes;

 private:
  void report(const std::string& name, const std::string& what) {
    mistakes.push_back(name.empty() ? what : name + ": " + what);
  }

  void look_at(const Field& field, const std::string& name) {
    look_at_type(field, name);
    look_at_rules(field, name);
    if (field.description_text.size() > kMaxDescription)
      report(name, "its description is longer than 500 characters");
    if (!field.element.empty()) look_at(field.element.front(), name + "[]");
    if (!field.key.empty()) look_at(field.key.front(), name + "[]");
    if (field.type == FieldType::kRecord) look_at_record(field, name);
    // A default within a record that is wrong itself says nothing new.
    if (mistakes.empty()) look_at_default(field, name);
  }

  void look_at_type(const Field& field, const std::string& name) {
    if (is_list(field.type) && field.element.empty()) report(name, "it does not say what its elements are");
    if (field.type == FieldType::kMap && (field.element.empty() || field.key.empty()))
      report(name, "it does not say what its keys and values are");
    if (field.type == FieldType::kForeign && field.referenced_entity.empty())
      report(name, "it does not say what it refers to");
    if (field.type == FieldType::kAny) report(name, "it has no type");
  }

  void look_at_rules(const Field& field, const std::string& name) {
    const bool is_text = field.type == FieldType::kString;
    const auto belongs = [&](bool rule_is_set, bool type_has_it, const char* rule) {
      if (rule_is_set && !type_has_it) report(name, std::string("fields of its type have no '") + rule + "'");
    };
    belongs(field.has_between, is_number(field.type), "between");
    belongs(field.has_gt, is_number(field.type), "gt");
    belongs(field.is_timestamp, is_number(field.type), "timestamp");
    belongs(field.is_uuid, is_text, "uuid");
    belongs(field.is_regex, is_text, "is_regex");
    belongs(!field.prefix_required.empty(), is_text, "starts_with");
    const bool is_record = field.type == FieldType::kRecord;
    belongs(!field.format_name.empty(), is_text || is_record, "custom_validator");
    belongs(field.text_check != nullptr, is_text, "custom_validator");
    belongs(field.record_check != nullptr, is_record, "custom_validator");
    belongs(!field.patterns.empty() || !field.not_patterns.empty() || !field.none_patterns.empty() ||
                !field.all_patterns.empty() || !field.any_patterns.empty(),
            is_text, "match");
    belongs(field.is_referenceable, is_text, "referenceable");
    belongs(!field.contained.empty(), is_list(field.type), "contains");
    belongs(!field.exclusive_subsets.empty(), is_list(field.type), "mutually_exclusive_subsets");
    belongs(field.length_eq >= 0 || field.length_min >= 0 || field.length_max >= 0,
            is_text || is_list(field.type) || field.type == FieldType::kMap, "len_*");
    belongs(field.is_unique, is_text || is_number(field.type) || field.type == FieldType::kForeign, "unique");
    belongs(field.has_default_of_rows, field.type == FieldType::kRecord, "default_of_rows");
    const bool is_known = is_record ? is_known_check(field.format_name) : is_known_format(field.format_name);
    if (!field.format_name.empty() && !is_known)
      report(name, "there is no format '" + field.format_name + "'");
  }

  void look_at_default(const Field& field, const std::string& name) {
    if (!has_default(field)) return;
    const json::value value = default_of(field);
    if (value.is_null() && std::holds_alternative<JsonText>(field.default_literal))
      return report(name, "its default is no JSON");
    if (value.is_null()) return;
    if (const FieldError error = check_value(field, value, Operation::kInsert))
      report(name, "its own rules refuse its default: " + json::serialize(*error));
  }

  void look_at_check(const Field& record, const Subschema* subschema, const EntityCheck& check,
                     const std::string& name) {
    std::vector<std::string> fields = check.fields;
    fields.insert(fields.end(), check.else_fields.begin(), check.else_fields.end());
    for (const std::string& field : {check.if_field, check.then_field})
      if (!field.empty()) fields.push_back(field);
    if (fields.empty()) report(name, "a check looks at no field");
    for (const std::string& field : fields)
      if (find_row_by_path(record, subschema, field) == nullptr)
        report(name, "a check looks at '" + field + "', which is no field");
    if (check.kind == EntityCheck::Kind::kCustom && !is_known_check(check.custom_name))
      report(name, "there is no check '" + check.custom_name + "'");
  }
};

}  // namespace

std::vector<std::string> mistakes_in(const Schema& schema) {
  if (schema.type != FieldType::kRecord) return {"a schema is a record"};
  Inspector inspector;
  inspector.look_at_record(schema, "");
  return inspector.mistakes;
}

}  // namespace gibbon::schema
