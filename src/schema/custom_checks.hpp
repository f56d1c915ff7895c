#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "gibbon/schema.hpp"

namespace gibbon::schema {

/// Runs a check of kind kCustom by its `custom_name`: the message of the violation (the check's own where it
/// has one), nothing where all is well. A name that is not known is a violation: a check must not be lost in
/// silence.
std::optional<std::string> run_custom_check(const EntityCheck& check, const json::object& entity);

/// Whether /schemas shows the check: Kong's shows its checks of entities, but not the validators of records.
bool is_listed_check(std::string_view name);

/// Whether there is a check of that name.
bool is_known_check(std::string_view name);

}  // namespace gibbon::schema
