#pragma once

#include <string_view>

#include "base/json.hpp"
#include "config/settings.hpp"

namespace gibbon::agent {

/// The settings as Kong's GET / shows them: each value in its key's type, lists as arrays, listeners and directives
/// taken apart, what is not set left out, and secrets as "******". `log_level`: the one in effect.
json::object shown_configuration(const Settings& settings, std::string_view log_level);

}  // namespace gibbon::agent
