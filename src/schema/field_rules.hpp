#pragma once

#include <optional>
#include <string_view>

#include "base/json.hpp"
#include "gibbon/schema.hpp"
#include "schema/validate.hpp"

namespace gibbon::schema {

inline constexpr std::string_view kRequiredMissing = "required field missing";

/// What is wrong with a value: a message, an array of them (null where an element is right), or an object by
/// field.
using FieldError = std::optional<json::value>;

/// Checks one value against one row: its type, what is in it, its validators in Kong's order. `operation`
/// shapes the messages of nested checks alone.
FieldError check_value(const Field& field, const json::value& value, Operation operation);

/// Checks a record against its rows and checks. `completeness` is kPartial where absent required fields are
/// fine.
enum class Completeness { kFull, kPartial };
Violations check_record(const Field& record, const json::object& object, Completeness completeness,
                        Operation operation);

}  // namespace gibbon::schema
