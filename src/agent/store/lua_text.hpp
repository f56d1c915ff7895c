#pragma once

#include <string>

#include "base/json.hpp"

namespace gibbon::agent {

/// A value as Kong's messages show it: {id="…"}, {name="a",service={id="b"}}, {{config={timeout="expected a
/// number"}}}. Keys are sorted; a null in an array is a hole, as in a Lua table.
std::string lua_text(const json::value& value);

}  // namespace gibbon::agent
