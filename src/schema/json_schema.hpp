#pragma once

#include "base/json.hpp"
#include "gibbon/schema.hpp"

/// Rows as JSON Schema (draft 2020-12, as OpenAPI 3.1 wants it), for clients and editors. What JSON Schema
/// cannot say (formats by name, Lua patterns, checks of several fields) is left out: what it accepts may
/// still be refused.
namespace gibbon::schema {

/// kShown: as the Admin API answers, with every field. kGiven: as it takes input; shorthands are fields, and
/// none has to be there (see required_input()).
enum class Usage { kShown, kGiven };

/// A row's schema. Fields that may be null say so.
json::object json_schema(const Field& field, Usage usage);
/// The same for what is never null: an element, or the body of a request.
json::object json_schema_without_null(const Field& field, Usage usage);

/// The fields that a new entity must have: those without a default. None where a shorthand may stand for
/// some.
json::array required_input(const Schema& schema);

}  // namespace gibbon::schema
