#pragma once

#include <cstddef>
#include <string_view>

namespace gibbon::schema {

/// The place of the first byte that begins no valid UTF-8 sequence; npos where there is none.
std::size_t first_invalid_utf8(std::string_view text);

}  // namespace gibbon::schema
