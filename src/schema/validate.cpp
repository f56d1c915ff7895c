#include "schema/validate.hpp"

#include <algorithm>
#include <vector>

#include "schema/deprecations.hpp"
#include "schema/field_rules.hpp"
#include "schema/records.hpp"
#include "schema/shorthands.hpp"

namespace gibbon::schema {
namespace {

/// Fills and checks a new or a replacing entity.
Checked check_whole(const Schema& schema, json::object input, Operation operation) {
  Checked checked;
  checked.warnings = deprecated_fields(schema, input);
  checked.entity = process_auto_fields(schema, std::move(input), operation, checked.violations);
  if (checked.ok()) checked.violations = validate(schema, checked.entity, operation);
  if (checked.ok()) show_former_names(schema, checked.entity);
  return checked;
}

/// Arrays are the same in any order.
bool is_same(const json::value& left, const json::value& right) {
  if (!left.is_array() || !right.is_array()) return left == right;
  const json::array& others = right.get_array();
  return left.get_array().size() == others.size() &&
         std::is_permutation(left.get_array().begin(), left.get_array().end(), others.begin());
}

}  // namespace

Checked check_insert(const Schema& schema, const json::object& input) {
  return check_whole(schema, input, Operation::kInsert);
}

Checked check_update(const Schema& schema, const json::object& stored, const json::object& patch) {
  Checked checked;
  checked.warnings = deprecated_fields(schema, patch);
  json::object changes = process_auto_fields(schema, patch, Operation::kUpdate, checked.violations);
  if (!checked.ok()) return checked;
  if (const json::value* id = stored.if_contains("id")) changes["id"] = *id;
  checked.violations = validate_immutable(schema, stored, changes);
  if (!checked.ok()) return checked;
  const json::object merged = merge(schema, stored, changes);
  checked.violations = validate(schema, merged, Operation::kUpdate);
  checked.entity = complete(schema, merged);
  return checked;
}

Checked check_upsert(const Schema& schema, const json::object& input, const json::object* stored) {
  json::object replacement = input;
  if (stored != nullptr) {
    if (const json::value* id = stored->if_contains("id")) replacement["id"] = *id;
  }
  return check_whole(schema, std::move(replacement), Operation::kUpsert);
}

Violations validate(const Schema& schema, const json::object& entity, Operation operation) {
  const Completeness completeness =
      operation == Operation::kUpdate ? Completeness::kPartial : Completeness::kFull;
  return check_record(schema, entity, completeness, operation);
}

json::object merge(const Schema& schema, const json::object& stored, const json::object& patch) {
  json::object merged;
  for (const NamedField& row : schema.fields) {
    const json::value* above = patch.if_contains(row.name);
    const json::value* below = stored.if_contains(row.name);
    const bool records = row.field.type == FieldType::kRecord && !row.field.is_abstract && above != nullptr &&
                         above->is_object() && below != nullptr && below->is_object();
    if (records) {
      merged[row.name] = merge(row.field, below->get_object(), above->get_object());
    } else if (above != nullptr) {
      merged[row.name] = *above;
    } else if (below != nullptr) {
      merged[row.name] = *below;
    }
  }
  for (const auto& member : patch) {
    if (find_row(schema, nullptr, member.key()) == nullptr) merged[member.key()] = member.value();
  }
  return merged;
}

Violations validate_immutable(const Schema& schema, const json::object& stored, const json::object& patch) {
  Violations violations;
  for (const NamedField& row : schema.fields) {
    const json::value* before = stored.if_contains(row.name);
    const json::value* after = patch.if_contains(row.name);
    if (row.field.is_immutable && before != nullptr && after != nullptr && !is_same(*before, *after)) {
      violations.add(row.name, "immutable field cannot be updated");
    }
  }
  return violations;
}

}  // namespace gibbon::schema
