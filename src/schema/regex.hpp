#pragma once

#include <string>
#include <string_view>

namespace gibbon::schema {

/// Why PCRE2 refuses a regular expression, in the words of nginx's Lua module; empty where it does not.
std::string regex_error(std::string_view pattern);

}  // namespace gibbon::schema
