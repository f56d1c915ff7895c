#pragma once

#include <string_view>

#include "base/ascii.hpp"

namespace gibbon::record {

/// What stands in the place of a secret.
inline constexpr std::string_view kRedacted = "[REDACTED]";

/// Headers whose values are secrets, whatever the configuration: they do not even reach the ring. Plugins name more of
/// them: see secrets() in gibbon/plugin.hpp.
inline bool is_secret_header(std::string_view name) {
  switch (name.size()) {
    case 6: return equals_lower(name, "cookie") || equals_lower(name, "apikey");
    case 9: return equals_lower(name, "x-api-key");
    case 10: return equals_lower(name, "set-cookie");
    case 13: return equals_lower(name, "authorization");
    case 19: return equals_lower(name, "proxy-authorization");
    default: return false;
  }
}

}  // namespace gibbon::record
