#include "schema/records.hpp"

#include <algorithm>
#include <string>

#include "schema/literals.hpp"

namespace gibbon::schema {
namespace {

const Subschema* subschema_for(const Field& record, const json::value& key) {
  if (!key.is_string()) return nullptr;
  for (const Subschema& subschema : record.subschemas) {
    const auto& keys = subschema.keys;
    if (std::find(keys.begin(), keys.end(), std::string_view(key.get_string())) != keys.end())
      return &subschema;
  }
  return nullptr;
}

const Field* find_in(const std::vector<NamedField>& rows, std::string_view name) {
  for (const NamedField& row : rows) {
    if (row.name == name) return &row.field;
  }
  return nullptr;
}

}  // namespace

const Subschema* select_subschema(const Field& record, const json::object& object) {
  if (record.subschema_key.empty()) return nullptr;
  const json::value* key = object.if_contains(record.subschema_key);
  if (key == nullptr) return nullptr;
  if (!key->is_array()) return subschema_for(record, *key);
  for (const json::value& element : key->get_array()) {
    if (const Subschema* found = subschema_for(record, element)) return found;
  }
  return nullptr;
}

const Field* find_row(const Field& record, const Subschema* subschema, std::string_view name) {
  const Field* own = find_in(record.fields, name);
  if (own == nullptr || subschema == nullptr) return own;
  const Field* special = find_in(subschema->fields, name);
  return special != nullptr ? special : own;
}

const Field* find_row_by_path(const Field& record, const Subschema* subschema, std::string_view path) {
  const std::size_t dot = path.find('.');
  const Field* row = find_row(record, subschema, path.substr(0, dot));
  if (row == nullptr || dot == std::string_view::npos) return row;
  return find_row_by_path(*row, nullptr, path.substr(dot + 1));
}

const json::value* find_value(const json::object& object, std::string_view path) {
  const std::size_t dot = path.find('.');
  const json::value* value = object.if_contains(path.substr(0, dot));
  if (value == nullptr || dot == std::string_view::npos) return value;
  return value->is_object() ? find_value(value->get_object(), path.substr(dot + 1)) : nullptr;
}

Field config_row(const Schema& config) {
  Field row = config;
  row.required();
  row.checks = std::move(row.own_checks);
  row.own_checks.clear();
  row.entity_rows.clear();
  return row;
}

std::vector<EntityCheck> under(std::string_view name, std::vector<EntityCheck> checks) {
  const std::string prefix = std::string(name) + ".";
  const auto prepend = [&](std::string& field) {
    if (!field.empty()) field.insert(0, prefix);
  };
  for (EntityCheck& check : checks) {
    prepend(check.if_field);
    prepend(check.then_field);
    for (std::string& field : check.fields) prepend(field);
    for (std::string& field : check.else_fields) prepend(field);
  }
  return checks;
}

bool has_default(const Field& field) { return field.has_default || field.has_default_of_rows; }

json::value default_of(const Field& field) {
  if (!field.has_default_of_rows) return to_json(field.default_literal);
  json::object record;
  const auto& left_out = field.rows_without_default;
  for (const NamedField& row : field.fields) {
    if (has_default(row.field) && std::find(left_out.begin(), left_out.end(), row.name) == left_out.end())
      record[row.name] = default_of(row.field);
  }
  return record;
}

bool is_nonempty(const json::value* value) {
  if (value == nullptr || value->is_null()) return false;
  if (value->is_string()) return !value->get_string().empty();
  if (value->is_array()) return !value->get_array().empty();
  if (value->is_object()) return !value->get_object().empty();
  return true;
}

}  // namespace gibbon::schema
