#pragma once

#include "schema/validate.hpp"

namespace gibbon::schema {

/// Turns the shorthands that a record declares into its fields, in place: {"url": "http://h:80/p"} into
/// protocol, host, port and path. What is wrong with one goes to `violations`.
void expand_shorthands(const Field& record, json::object& input, Violations& violations);

}  // namespace gibbon::schema
