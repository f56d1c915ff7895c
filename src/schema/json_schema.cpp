#include "schema/json_schema.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "schema/literals.hpp"
#include "schema/records.hpp"

namespace gibbon::schema {
namespace {

std::string escaped_for_regex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\^$.|?*+()[]{}/").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

void describe_text(const Field& field, json::object& out) {
  const std::int64_t least = field.length_min < 0 ? 1 : field.length_min;
  if (field.length_eq >= 0) {
    out["minLength"] = field.length_eq;
    out["maxLength"] = field.length_eq;
  } else {
    if (least > 0) out["minLength"] = least;
    if (field.length_max >= 0) out["maxLength"] = field.length_max;
  }
  if (!field.prefix_required.empty()) out["pattern"] = "^" + escaped_for_regex(field.prefix_required);
  if (field.is_uuid) out["format"] = "uuid";
}

void describe_number(const Field& field, json::object& out) {
  if (field.has_between) {
    out["minimum"] = simplest_number(field.between_low);
    out["maximum"] = simplest_number(field.between_high);
  }
  if (field.has_gt) out["exclusiveMinimum"] = simplest_number(field.gt);
}

void describe_list(const Field& field, json::object& out, Usage usage) {
  if (!field.element.empty()) out["items"] = json_schema_without_null(field.element.front(), usage);
  if (field.type == FieldType::kSet) out["uniqueItems"] = true;
  if (field.length_eq >= 0 || field.length_min > 0)
    out["minItems"] = std::max(field.length_eq, field.length_min);
  if (field.length_eq >= 0 || field.length_max >= 0)
    out["maxItems"] = std::max(field.length_eq, field.length_max);
}

void describe_map(const Field& field, json::object& out, Usage usage) {
  if (!field.element.empty())
    out["additionalProperties"] = json_schema_without_null(field.element.front(), usage);
}

void describe_record(const Field& field, json::object& out, Usage usage) {
  json::object properties;
  json::array shown;
  for (const NamedField& row : field.fields) {
    properties[row.name] = json_schema(row.field, usage);
    if (!row.field.is_hidden_if_null && !row.field.is_transient) shown.emplace_back(row.name);
  }
  for (const Shorthand& shorthand : field.shorthands) {
    if (usage == Usage::kGiven || !shorthand.path.empty())
      properties[shorthand.name] = json_schema(shorthand.value, usage);
  }
  out["properties"] = std::move(properties);
  if (usage == Usage::kShown && !shown.empty()) out["required"] = std::move(shown);
  if (usage == Usage::kGiven) out["additionalProperties"] = false;
}

std::string_view json_type(FieldType type) {
  switch (type) {
    case FieldType::kString:
      return "string";
    case FieldType::kNumber:
      return "number";
    case FieldType::kInteger:
      return "integer";
    case FieldType::kBoolean:
      return "boolean";
    case FieldType::kArray:
    case FieldType::kSet:
      return "array";
    case FieldType::kMap:
    case FieldType::kRecord:
    case FieldType::kForeign:
      return "object";
    case FieldType::kJson:
    case FieldType::kAny:
      return {};
  }
  return {};
}

void describe_type(const Field& field, json::object& out, Usage usage) {
  switch (field.type) {
    case FieldType::kString:
      return describe_text(field, out);
    case FieldType::kNumber:
    case FieldType::kInteger:
      return describe_number(field, out);
    case FieldType::kArray:
    case FieldType::kSet:
      return describe_list(field, out, usage);
    case FieldType::kMap:
      return describe_map(field, out, usage);
    case FieldType::kRecord:
      if (!field.is_abstract) describe_record(field, out, usage);
      return;
    case FieldType::kForeign:
      out["properties"] = json::object{{"id", json::object{{"type", "string"}, {"format", "uuid"}}}};
      // Input may name the entity instead; then there is no id.
      if (usage == Usage::kShown) out["required"] = json::array{"id"};
      return;
    default:
      return;
  }
}

json::array values(const std::vector<Literal>& literals) {
  json::array array;
  for (const Literal& literal : literals) array.push_back(to_json(literal));
  return array;
}

void describe_rest(const Field& field, json::object& out) {
  if (!field.description_text.empty()) out["description"] = field.description_text;
  if (field.has_eq) out["const"] = to_json(field.eq_literal);
  if (!field.allowed.empty()) out["enum"] = values(field.allowed);
  if (!field.forbidden.empty()) out["not"] = json::object{{"enum", values(field.forbidden)}};
  if (has_default(field) && !default_of(field).is_null()) out["default"] = default_of(field);
  if (field.deprecation) out["deprecated"] = true;
}

}  // namespace

json::object json_schema_without_null(const Field& field, Usage usage) {
  json::object out;
  if (const std::string_view type = json_type(field.type); !type.empty()) out["type"] = type;
  describe_type(field, out, usage);
  describe_rest(field, out);
  return out;
}

json::object json_schema(const Field& field, Usage usage) {
  json::object out = json_schema_without_null(field, usage);
  if (field.has_eq && std::holds_alternative<std::nullptr_t>(field.eq_literal)) {
    json::object null{{"type", "null"}};
    if (!field.description_text.empty()) null["description"] = field.description_text;
    return null;
  }
  const bool is_filled_in = field.is_auto && usage == Usage::kShown;
  if (field.is_required || is_filled_in || !out.contains("type")) return out;
  out["type"] = json::array{out.at("type"), "null"};
  if (json::value* allowed = out.if_contains("enum")) allowed->get_array().emplace_back(nullptr);
  return out;
}

json::array required_input(const Schema& schema) {
  json::array names;
  if (!schema.shorthands.empty()) return names;
  for (const NamedField& row : schema.fields) {
    const bool fills_itself = row.field.type == FieldType::kRecord && !row.field.is_abstract;
    if (row.field.is_required && !has_default(row.field) && !fills_itself) names.emplace_back(row.name);
  }
  return names;
}

}  // namespace gibbon::schema
