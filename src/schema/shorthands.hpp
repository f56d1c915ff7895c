#pragma once

#include "base/json.hpp"
#include "gibbon/schema.hpp"
#include "schema/violations.hpp"

/// Names of a record that are not fields: shorthands for several fields, and the former names of fields.
namespace gibbon::schema {

/// Turns them into fields, in place: {"url": "http://h:80/p"} into protocol, host, port and path;
/// {"redis_host": "h"} into {"redis": {"host": "h"}}. What is wrong with one goes to `violations`, under its
/// own name.
void expand_shorthands(const Field& record, json::object& input, Violations& violations);

/// Adds the former names of fields, with the fields' values, to an entity that is shown; in nested records
/// too.
void show_former_names(const Field& record, json::object& entity);

}  // namespace gibbon::schema
