#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "gibbon/schema.hpp"

namespace gibbon::schema {

/// The messages of the deprecated fields that an input sets to anything but their old default, each once.
std::vector<std::string> deprecated_fields(const Schema& schema, const json::object& input);

}  // namespace gibbon::schema
