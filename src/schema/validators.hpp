#pragma once

#include <optional>
#include <string>

#include "base/json.hpp"
#include "gibbon/schema.hpp"

namespace gibbon::schema {

/// Runs a row's validators on a value that has the row's type: the message of the first that fails.
std::optional<std::string> run_validators(const Field& field, const json::value& value);

/// "'a', 'b'".
std::string quoted_list(const std::vector<std::string>& names);

}  // namespace gibbon::schema
