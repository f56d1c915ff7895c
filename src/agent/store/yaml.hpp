#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace gibbon::agent {

/// YAML 1.1 text (JSON included) as a JSON value: plain scalars get the types that Kong's parser gives them,
/// merge keys (`<<`) and aliases are resolved. Errors: "line:column: what" for text that is not YAML, and for
/// documents that grow beyond bounds (nesting, aliases).
Result<json::value> parse_yaml(std::string_view text);

/// A value as a YAML document in block style, which parse_yaml() reads back unchanged.
std::string to_yaml(const json::value& value);

}  // namespace gibbon::agent
