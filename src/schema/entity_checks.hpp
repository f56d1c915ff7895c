#pragma once

#include <string>
#include <string_view>

#include "schema/field_rules.hpp"

namespace gibbon::schema {

/// Runs a record's checks, then its subschema's (which may be null), and adds what they find.
void run_entity_checks(const Field& record, const Subschema* subschema, const json::object& object,
                       Completeness completeness, Operation operation, Violations& violations);

/// `text` with its first "%s" replaced.
std::string with_argument(std::string text, std::string_view argument);

}  // namespace gibbon::schema
