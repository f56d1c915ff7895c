#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace gibbon::agent {

/// YAML 1.1 text (JSON included) as a JSON value: plain scalars get the types that Kong's parser gives them,
/// merge keys (`<<`) and aliases are resolved, the last of a key's values counts, and of several documents
/// the first. Errors: "line:column: what" for text that is not YAML or not UTF-8, and for documents that grow
/// beyond bounds: nested 64 deep, or five million values with aliases resolved.
Result<json::value> parse_yaml(std::string_view text);

/// A value as a YAML document in block style, which parse_yaml() reads back unchanged.
std::string to_yaml(const json::value& value);

/// What a plain (unquoted) scalar means.
json::value plain_scalar(std::string_view text);
/// What a scalar with a tag means ("tag:yaml.org,2002:int"); nothing where it is no such thing.
std::optional<json::value> tagged_scalar(std::string_view tag, std::string_view text);

}  // namespace gibbon::agent
