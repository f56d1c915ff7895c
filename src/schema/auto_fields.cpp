// process_auto_fields() and complete() of validate.hpp.
#include <algorithm>
#include <chrono>
#include <optional>

#include "base/uuid.hpp"
#include "schema/literals.hpp"
#include "schema/records.hpp"
#include "schema/shorthands.hpp"
#include "schema/validate.hpp"

namespace gibbon::schema {
namespace {

/// What is to be filled in: Kong's contexts.
enum class Fill { kInsert, kUpdate, kUpsert, kSelect };
using Slot = std::optional<json::value>;  ///< A field's value; nothing where it is absent.

json::object fill_record(const Field& record, json::object input, Fill fill, Violations& violations);

std::string random_text() {
  std::string text = uuid_v4();
  text.erase(std::remove(text.begin(), text.end(), '-'), text.end());
  return text;
}

json::value now_for(FieldType type) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return type == FieldType::kInteger ? json::value(ms / 1000) : json::value(static_cast<double>(ms) / 1000);
}

/// Ids and times, where the operation makes them.
void make_automatic(const std::string& name, const Field& field, Fill fill, Slot& value) {
  if (!field.is_auto || fill == Fill::kSelect) return;
  const bool creates = fill == Fill::kInsert || fill == Fill::kUpsert;
  const bool unset = !value || value->is_null();
  if (field.type == FieldType::kString) {
    if (creates && unset) value = field.is_uuid ? uuid_v4() : random_text();
  } else if ((name == "created_at" && creates && unset) || (name == "updated_at")) {
    value = now_for(field.type);
  }
}

/// The value of a field that is absent: its default, null, a record of defaults; absent still where it is
/// required.
Slot missing_value(const Field& field, Violations& violations) {
  if (has_default(field)) return default_of(field);
  if (!field.is_required) return json::value(nullptr);
  if (field.is_abstract || field.type != FieldType::kRecord) return {};
  return fill_record(field, {}, Fill::kInsert, violations);
}

/// Lua has one kind of table: an empty object is an empty array as well, and the other way round.
void settle_empty_table(FieldType type, json::value& value) {
  const bool wants_array = type == FieldType::kArray || type == FieldType::kSet;
  const bool wants_object = type == FieldType::kMap || type == FieldType::kRecord;
  if (wants_array && value.is_object() && value.get_object().empty()) value = json::array();
  if (wants_object && value.is_array() && value.get_array().empty()) value = json::object();
}

void drop_duplicates(json::array& set) {
  json::array kept;
  for (json::value& element : set) {
    const bool seen = !element.is_structured() && std::find(kept.begin(), kept.end(), element) != kept.end();
    if (!seen) kept.push_back(std::move(element));
  }
  set = std::move(kept);
}

Slot adjust(const Field& field, Slot value, Fill fill, Violations& violations);

void adjust_parts(const Field& field, json::value& value, Fill fill, Violations& violations) {
  if (field.element.empty()) return;
  const auto adjust_part = [&](json::value& part) {
    if (!part.is_null())
      part = adjust(field.element.front(), std::move(part), fill, violations).value_or(nullptr);
  };
  const bool is_list = field.type == FieldType::kArray || field.type == FieldType::kSet;
  if (is_list && value.is_array()) {
    if (field.type == FieldType::kSet) drop_duplicates(value.get_array());
    for (json::value& element : value.get_array()) adjust_part(element);
  } else if (field.type == FieldType::kMap && value.is_object()) {
    for (auto& member : value.get_object()) adjust_part(member.value());
  }
}

bool recurses_into_record(const Field& field, const Slot& value, Fill fill) {
  if (value) return !value->is_null();
  return fill != Fill::kUpdate && field.is_required;
}

Slot adjust(const Field& field, Slot value, Fill fill, Violations& violations) {
  if (fill == Fill::kSelect && value && value->is_null() && field.is_required)
    return missing_value(field, violations);
  if (field.is_abstract) return value;
  if (field.type == FieldType::kRecord && recurses_into_record(field, value, fill)) {
    if (!value) value = missing_value(field, violations);
    if (value) settle_empty_table(field.type, *value);
    if (value && value->is_object())
      return fill_record(field, std::move(value->get_object()), fill, violations);
    return value;
  }
  if (!value) return fill == Fill::kUpdate ? Slot{} : missing_value(field, violations);
  settle_empty_table(field.type, *value);
  adjust_parts(field, *value, fill, violations);
  if (field.type == FieldType::kNumber || field.type == FieldType::kInteger) return simplest_number(*value);
  if (field.type == FieldType::kForeign && value->is_object() && value->get_object().contains("id")) {
    return json::value(json::object{{"id", value->get_object().at("id")}});
  }
  return value;
}

json::object fill_record(const Field& record, json::object input, Fill fill, Violations& violations) {
  if (fill != Fill::kSelect) expand_shorthands(record, input, violations);
  const Subschema* subschema = select_subschema(record, input);
  json::object output;
  output.reserve(record.fields.size());
  for (const NamedField& row : record.fields) {
    const Field& field = *find_row(record, subschema, row.name);
    Slot value;
    if (json::value* given = input.if_contains(row.name)) value = std::move(*given);
    make_automatic(row.name, field, fill, value);
    value = adjust(field, std::move(value), fill, violations);
    if (value && value->is_null() && field.is_hidden_if_null && fill != Fill::kUpdate) continue;
    if (value) output[row.name] = std::move(*value);
  }
  if (fill == Fill::kSelect) return output;
  for (auto& member : input) {
    if (find_row(record, subschema, member.key()) == nullptr)
      output[member.key()] = std::move(member.value());
  }
  return output;
}

}  // namespace

json::object process_auto_fields(const Schema& schema, json::object input, Operation operation,
                                 Violations& violations) {
  const Fill fill = operation == Operation::kInsert   ? Fill::kInsert
                    : operation == Operation::kUpdate ? Fill::kUpdate
                                                      : Fill::kUpsert;
  return fill_record(schema, std::move(input), fill, violations);
}

json::object complete(const Schema& schema, json::object stored) {
  Violations none;
  json::object entity = fill_record(schema, std::move(stored), Fill::kSelect, none);
  show_former_names(schema, entity);
  return entity;
}

}  // namespace gibbon::schema
