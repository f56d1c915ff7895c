#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "gibbon/schema.hpp"

/// The way back from describe(): a schema from Kong's answer at /schemas, so that the engine meets every
/// recorded entity and plugin. Formats are not in those answers.
namespace gibbon::test {

Field field_from(const json::object& described);

inline std::vector<std::string> texts_from(const json::value& value) {
  std::vector<std::string> texts;
  for (const json::value& element : value.as_array()) texts.emplace_back(element.as_string());
  return texts;
}

inline Literal literal_from(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_bool()) return value.get_bool();
  if (value.is_int64()) return value.get_int64();
  if (value.is_double()) return value.get_double();
  if (value.is_array() && !value.get_array().empty() && value.get_array().front().is_int64()) {
    std::vector<std::int64_t> numbers;
    for (const json::value& element : value.get_array()) numbers.push_back(element.as_int64());
    return numbers;
  }
  if (value.is_array()) return texts_from(value);
  if (value.is_object()) return JsonText{json::serialize(value)};
  return nullptr;
}

inline std::vector<Literal> literals_from(const json::value& value) {
  std::vector<Literal> literals;
  for (const json::value& element : value.as_array()) literals.push_back(literal_from(element));
  return literals;
}

inline std::vector<Pattern> patterns_from(const json::value& value) {
  std::vector<Pattern> patterns;
  for (const json::value& element : value.as_array()) {
    patterns.push_back(
        {std::string(element.at("pattern").as_string()), std::string(element.at("err").as_string())});
  }
  return patterns;
}

inline std::vector<NamedField> rows_from(const json::value& value) {
  std::vector<NamedField> rows;
  for (const json::value& row : value.as_array()) {
    for (const auto& member : row.as_object())
      rows.push_back({member.key(), field_from(member.value().as_object())});
  }
  return rows;
}

/// `prefix` is taken off the names of fields.
inline EntityCheck check_from(const json::object& described, std::string_view prefix = {}) {
  using Kind = EntityCheck::Kind;
  const auto plain = [&](const json::value& name) {
    return std::string(name.as_string()).substr(prefix.size());
  };
  const auto& [kind, argument] = *described.begin();
  if (kind == "conditional") {
    const json::object& c = argument.as_object();
    EntityCheck check{.kind = Kind::kConditional,
                      .if_field = plain(c.at("if_field")),
                      .then_field = plain(c.at("then_field")),
                      .if_match = {field_from(c.at("if_match").as_object())},
                      .then_match = {field_from(c.at("then_match").as_object())}};
    if (c.contains("then_err")) check.message = c.at("then_err").as_string();
    return check;
  }
  if (kind == "custom_entity_check") {
    return {.kind = Kind::kCustom,
            .fields = texts_from(argument.at("field_sources")),
            .custom_name = "path_handling"};
  }
  EntityCheck check{.kind = kind == "at_least_one_of"     ? Kind::kAtLeastOneOf
                            : kind == "only_one_of"       ? Kind::kOnlyOneOf
                            : kind == "distinct"          ? Kind::kDistinct
                            : kind == "mutually_required" ? Kind::kMutuallyRequired
                                                          : Kind::kMutuallyExclusive};
  for (const json::value& name : argument.as_array()) check.fields.push_back(plain(name));
  return check;
}

inline FieldType type_from(std::string_view name) {
  if (name == "string") return FieldType::kString;
  if (name == "number") return FieldType::kNumber;
  if (name == "integer") return FieldType::kInteger;
  if (name == "boolean") return FieldType::kBoolean;
  if (name == "array") return FieldType::kArray;
  if (name == "set") return FieldType::kSet;
  if (name == "map") return FieldType::kMap;
  if (name == "foreign") return FieldType::kForeign;
  return name == "record" ? FieldType::kRecord : FieldType::kAny;
}

inline Deprecation deprecation_from(const json::object& described) {
  Deprecation deprecation{std::string(described.at("message").as_string()),
                          std::string(described.at("removal_in_version").as_string())};
  if (const json::value* old = described.if_contains("old_default")) deprecation.old_default = literal_from(*old);
  return deprecation;
}

inline void set_rule(Field& f, std::string_view rule, const json::value& v) {
  if (rule == "required") v.as_bool() ? f.required() : f.optional();
  if (rule == "unique_across_ws") f.unique_across_workspaces();
  if (rule == "encrypted") f.encrypted();
  if (rule == "deprecation") f.deprecated(deprecation_from(v.as_object()));
  if (rule == "default") f.default_value(literal_from(v));
  if (rule == "auto") f.automatic();
  if (rule == "unique") f.unique();
  if (rule == "referenceable") f.referenceable();
  if (rule == "transient") f.transient();
  if (rule == "abstract") f.abstract();
  if (rule == "reference") f.reference(std::string(v.as_string()));
  if (rule == "on_delete") f.on_delete_cascade();
  if (rule == "uuid") f.uuid();
  if (rule == "timestamp") f.timestamp();
  if (rule == "err") f.error(std::string(v.as_string()));
  if (rule == "eq") f.equal(literal_from(v));
  if (rule == "gt") f.greater_than(v.to_number<double>());
  if (rule == "between") f.between(v.at(0).to_number<double>(), v.at(1).to_number<double>());
  if (rule == "one_of") f.one_of(literals_from(v));
  if (rule == "not_one_of") f.not_one_of(literals_from(v));
  if (rule == "len_eq") f.len_eq(v.as_int64());
  if (rule == "len_min") f.len_min(v.as_int64());
  if (rule == "starts_with") f.starts_with(std::string(v.as_string()));
  if (rule == "match") f.match({std::string(v.as_string()), {}});
  if (rule == "match_none") f.match_none(patterns_from(v));
  if (rule == "match_all") f.match_all(patterns_from(v));
  if (rule == "match_any") f.match_any(texts_from(v.at("patterns")), std::string(v.at("err").as_string()));
  if (rule == "mutually_exclusive_subsets") {
    std::vector<std::vector<std::string>> subsets;
    for (const json::value& subset : v.as_array()) subsets.push_back(texts_from(subset));
    f.mutually_exclusive_subsets(std::move(subsets));
  }
  if (rule == "elements" || rule == "values") f.elements_of(field_from(v.as_object()));
  if (rule == "keys") f.keys_of(field_from(v.as_object()));
  if (rule == "fields") f.fields_of(rows_from(v));
  if (rule == "entity_checks") {
    for (const json::value& check : v.as_array()) f.check(check_from(check.as_object()));
  }
  if (rule == "shorthand_fields") {
    for (const NamedField& row : rows_from(v)) f.shorthand(row.name, row.field, "");
  }
}

inline Field field_from(const json::object& described) {
  const json::value* type = described.if_contains("type");
  Field field(type != nullptr ? type_from(type->as_string()) : FieldType::kAny);
  for (const auto& member : described) set_rule(field, member.key(), member.value());
  return field;
}

/// An entity.
inline Schema schema_from(const json::object& described) {
  Schema schema(FieldType::kRecord);
  set_rule(schema, "fields", described.at("fields"));
  set_rule(schema, "entity_checks", described.at("entity_checks"));
  return schema;
}

/// A plugin's `config`.
inline Schema config_from(const json::object& described) {
  for (const NamedField& row : rows_from(described.at("fields"))) {
    if (row.name != "config") continue;
    Schema config = row.field;
    for (const json::value& check : described.at("entity_checks").as_array()) {
      config.check(check_from(check.as_object(), "config."));
    }
    return config;
  }
  return Schema(FieldType::kRecord);
}

}  // namespace gibbon::test
