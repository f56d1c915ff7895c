#pragma once

#include <string_view>

namespace gibbon::schema {

/// Whether `text` has a match of a Lua pattern (Lua 5.1's string.find): classes, sets, quantifiers * + - ?,
/// anchors, captures with back-references, %b and %f. Bytes, ASCII classes. A malformed pattern matches
/// nothing.
bool lua_match(std::string_view text, std::string_view pattern);

}  // namespace gibbon::schema
