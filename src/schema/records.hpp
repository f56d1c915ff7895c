#pragma once

#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "gibbon/schema.hpp"

/// How the parts of the engine find rows and values in records.
namespace gibbon::schema {

/// The subschema that `object` selects; null where the record has none or where none is known for it.
const Subschema* select_subschema(const Field& record, const json::object& object);
/// The row of `name`: the subschema's (which may be null), else the record's; null where there is none.
const Field* find_row(const Field& record, const Subschema* subschema, std::string_view name);
/// The same for a dotted name, through nested records.
const Field* find_row_by_path(const Field& record, const Subschema* subschema, std::string_view path);
/// The value at a dotted name; null where it is absent (a JSON null is a value).
const json::value* find_value(const json::object& object, std::string_view path);
/// A plugin's `config` as a row of its entity: required, with its own checks; the rest are the entity's.
Field config_row(const Schema& config);
/// The checks of a nested record as checks of what holds it: "minute" becomes "config.minute".
std::vector<EntityCheck> under(std::string_view name, std::vector<EntityCheck> checks);
/// Whether an absent field has a value by the rows, and which.
bool has_default(const Field& field);
json::value default_of(const Field& field);
/// Set and not empty: no null, empty text, array or object.
bool is_nonempty(const json::value* value);

}  // namespace gibbon::schema
