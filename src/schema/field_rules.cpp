#include "schema/field_rules.hpp"

#include <cmath>

#include "schema/entity_checks.hpp"
#include "schema/formats.hpp"
#include "schema/custom_checks.hpp"
#include "schema/json_config_view.hpp"
#include "schema/literals.hpp"
#include "schema/records.hpp"
#include "schema/validate.hpp"
#include "schema/validators.hpp"

namespace gibbon::schema {
namespace {

FieldError failure(std::string_view message) { return json::value(message); }

FieldError check_null(const Field& field) {
  if (field.has_ne && std::holds_alternative<std::nullptr_t>(field.ne_literal)) {
    return failure(field.error_message.empty() ? "value must not be null" : field.error_message);
  }
  if (field.has_eq && !std::holds_alternative<std::nullptr_t>(field.eq_literal)) {
    return failure("value must be " + to_string(field.eq_literal));
  }
  return field.is_required ? failure(kRequiredMissing) : FieldError{};
}

/// Elements of arrays, sets and maps are required, whatever their row says.
FieldError check_element(const Field& field, const json::value& value, Operation operation) {
  if (value.is_null()) return failure(kRequiredMissing);
  return check_value(field, value, operation);
}

FieldError check_elements(const Field& field, const json::array& elements, Operation operation) {
  if (field.element.empty()) return {};
  json::array errors;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (FieldError error = check_element(field.element.front(), elements[i], operation)) {
      errors.resize(i);
      errors.push_back(std::move(*error));
    }
  }
  if (errors.empty()) return {};
  return json::value(std::move(errors));
}

/// A map's error is that of its first wrong key or value.
FieldError check_entries(const Field& field, const json::object& entries, Operation operation) {
  for (const auto& entry : entries) {
    if (!field.key.empty()) {
      if (FieldError error = check_value(field.key.front(), json::value(entry.key()), operation))
        return error;
    }
    if (!field.element.empty()) {
      if (FieldError error = check_element(field.element.front(), entry.value(), operation)) return error;
    }
  }
  return {};
}

FieldError check_nested_record(const Field& field, const json::object& object, Operation operation) {
  Violations violations;
  const json::object filled = process_auto_fields(field, object, Operation::kInsert, violations);
  if (violations.empty()) violations = check_record(field, filled, Completeness::kFull, operation);
  if (!violations.empty()) return json::value(std::move(violations.fields));
  if (field.record_check == nullptr) return {};
  const std::optional<std::string> message = field.record_check(JsonConfigView(filled));
  return message ? failure(*message) : FieldError{};
}

/// References are resolved to ids before validation; what is left must hold one.
FieldError check_foreign(const json::value& value) {
  const auto failure_of_id = [](std::string_view message) {
    return json::value(json::object{{"id", message}});
  };
  const json::value* id = value.is_object() ? value.get_object().if_contains("id") : nullptr;
  if (id == nullptr) return failure_of_id("missing primary key");
  static const Field kId = [] {
    Field f = fields::string();
    f.required().uuid();
    return f;
  }();
  if (FieldError error = check_value(kId, *id, Operation::kInsert))
    return json::value(json::object{{"id", *error}});
  return {};
}

/// JSON has no infinity; a form can say 1e400.
bool is_finite(const json::value& value) {
  return value.is_number() && (!value.is_double() || std::isfinite(value.get_double()));
}

bool is_integer(const json::value& value) {
  if (!value.is_double()) return value.is_number();
  return std::isfinite(value.get_double()) && std::floor(value.get_double()) == value.get_double();
}

/// The type itself and, for what has parts, the parts.
FieldError check_type(const Field& field, const json::value& value, Operation operation) {
  switch (field.type) {
    case FieldType::kString:
      return value.is_string() ? FieldError{} : failure("expected a string");
    case FieldType::kNumber:
      return is_finite(value) ? FieldError{} : failure("expected a number");
    case FieldType::kInteger:
      return is_integer(value) ? FieldError{} : failure("expected an integer");
    case FieldType::kBoolean:
      return value.is_bool() ? FieldError{} : failure("expected a boolean");
    case FieldType::kArray:
      return value.is_array() ? check_elements(field, value.get_array(), operation)
                              : failure("expected an array");
    case FieldType::kSet:
      return value.is_array() ? check_elements(field, value.get_array(), operation)
                              : failure("expected a set");
    case FieldType::kMap:
      if (value.is_array() && !field.key.empty())
        return check_value(field.key.front(), json::value(1), operation);
      return value.is_object() ? check_entries(field, value.get_object(), operation)
                               : failure("expected a map");
    case FieldType::kRecord:
      return value.is_object() ? check_nested_record(field, value.get_object(), operation)
                               : failure("expected a record");
    case FieldType::kForeign:
      return check_foreign(value);
    case FieldType::kJson:
    case FieldType::kAny:
      return {};
  }
  return {};
}

/// Where a record depends on a key, nothing can be said before the key is known.
FieldError check_subschema_key(const Field& record, const json::object& object) {
  const json::value* key = object.if_contains(record.subschema_key);
  if (key == nullptr || key->is_null()) return failure(kRequiredMissing);
  const json::value* shown = key;
  if (key->is_array()) shown = key->get_array().empty() ? nullptr : &key->get_array().front();
  if (shown != nullptr && !shown->is_string()) {
    const Field* row = find_row(record, nullptr, record.subschema_key);
    return row == nullptr ? FieldError{} : check_value(*row, *key, Operation::kInsert);
  }
  return failure(with_argument(record.subschema_error,
                               shown == nullptr ? "nil" : std::string_view(shown->get_string())));
}

}  // namespace

FieldError check_value(const Field& field, const json::value& value, Operation operation) {
  if (value.is_null()) return check_null(field);
  if (field.has_eq && std::holds_alternative<std::nullptr_t>(field.eq_literal)) {
    return failure(field.error_message.empty() ? "value must be null" : field.error_message);
  }
  if (field.is_abstract) return failure("error in schema definition: abstract field was not specialized");
  if (FieldError error = check_type(field, value, operation)) return error;
  if (field.type == FieldType::kAny && value.is_array()) {
    if (FieldError error = check_elements(field, value.get_array(), operation)) return error;
  }
  if (field.is_referenceable && value.is_string() && is_vault_reference(value.get_string())) return {};
  if (const std::optional<std::string> message = run_validators(field, value)) return failure(*message);
  if (value.is_object() && !field.format_name.empty()) {
    const EntityCheck check{.kind = EntityCheck::Kind::kCustom, .custom_name = field.format_name};
    if (const std::optional<std::string> message = run_custom_check(check, value.get_object()))
      return failure(*message);
  }
  return {};
}

Violations check_record(const Field& record, const json::object& object, Completeness completeness,
                        Operation operation) {
  Violations violations;
  const Subschema* subschema = select_subschema(record, object);
  if (!record.subschema_key.empty() && subschema == nullptr) {
    if (FieldError error = check_subschema_key(record, object)) {
      violations.fields[record.subschema_key] = std::move(*error);
      return violations;
    }
  }
  for (const auto& member : object) {
    if (const Field* row = find_row(record, subschema, member.key()); row == nullptr) {
      violations.add(member.key(), "unknown field");
    } else if (FieldError error = check_value(*row, member.value(), operation)) {
      violations.fields[member.key()] = std::move(*error);
    }
  }
  for (const NamedField& row : record.fields) {
    if (!row.field.is_required) continue;
    const json::value* value = object.if_contains(row.name);
    if (value == nullptr ? completeness == Completeness::kFull : value->is_null()) {
      violations.add(row.name, kRequiredMissing);
    }
  }
  run_entity_checks(record, subschema, object, completeness, operation, violations);
  return violations;
}

}  // namespace gibbon::schema
