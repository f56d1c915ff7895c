#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "gibbon/schema.hpp"

/// The literals of a schema and JSON values, side by side.
namespace gibbon::schema {

json::value to_json(const Literal& literal);
/// Whether a value is what the literal says; numbers compare by value (5 is 5.0).
bool equals(const json::value& value, const Literal& literal);
/// As Lua's tostring: "null", "true", "426", "0.5".
std::string to_string(const Literal& literal);
/// "a, b, c".
std::string to_string(const std::vector<Literal>& literals);
/// A number as Lua prints it: "%.14g".
std::string number_text(double number);
/// The number in a value of any numeric kind.
double number_of(const json::value& value);
/// A number without a fraction as an integer: 5.0 to 5. Everything else as it is.
json::value simplest_number(const json::value& value);

}  // namespace gibbon::schema
