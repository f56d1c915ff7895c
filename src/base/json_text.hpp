#pragma once

#include <string>

#include "base/json.hpp"

namespace gibbon {

/// Compact JSON text with numbers as people write them: 10000, 0.01, 1e+20 (Boost's own writer prints 1E4).
/// Numbers keep 17 significant digits at most, fewer where fewer say the same.
std::string to_text(const json::value& value);
void append_text(const json::value& value, std::string& out);

}  // namespace gibbon
