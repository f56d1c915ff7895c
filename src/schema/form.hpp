#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "gibbon/schema.hpp"

namespace gibbon::schema {

/// As many fields of a form as Kong reads; callers refuse more ("Too many arguments").
inline constexpr std::size_t kMaxFormFields = 1000;

/// A form's or query's dotted names as the JSON object that the schema wants: "config.timeout=10",
/// "tags[]=a", "paths=/x" (an array of one, or of many where the name repeats), "paths[1]=/x",
/// "headers.x-a[]=1"; an empty value is null. Text is converted where the field's type allows it ("10000" to
/// a number, "true" to a boolean); what cannot be converted stays text, so that validate() refuses it with
/// Kong's message. `schema` guides the conversion alone: unknown names are kept.
json::object from_form(const Schema& schema, const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace gibbon::schema
