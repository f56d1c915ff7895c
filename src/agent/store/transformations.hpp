#pragma once

#include "agent/store/collection.hpp"
#include "base/json.hpp"
#include "schema/violations.hpp"

namespace gibbon::agent {

/// Runs a collection's transformations on the fields that `written` sets, with what they need from `entity`,
/// and puts the results there. `written` may be `entity` itself.
void transform(const Collection& collection, const json::object& written, json::object& entity);

/// Kong's rule for changes: a field that is transformed and what it needs change together or not at all.
void check_transformations(const Collection& collection, const json::object& stored,
                           const json::object& patch, schema::Violations& violations);

}  // namespace gibbon::agent
