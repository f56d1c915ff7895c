#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Percent-encoding in paths and queries.
namespace gibbon {

/// Malformed escapes stay as they are. `plus_is_space`: as in forms.
std::string percent_decode(std::string_view text, bool plus_is_space = false);
std::string percent_encode(std::string_view text);
/// "a=1&b=2" in its order, decoded.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);

}  // namespace gibbon
