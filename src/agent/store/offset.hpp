#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/store/error.hpp"

namespace gibbon::agent {

/// Where a page ended: the last entity that it showed, and which of its tags.
struct Offset {
  std::string id;
  std::int64_t index = 0;
};

/// Kong's opaque text: base64 (URL alphabet, no padding) of ["id"] or ["id",2].
std::string encode_offset(const Offset& offset);
/// Errors: kInvalidOffset, saying whether base64, JSON or the content is at fault.
Outcome<Offset> decode_offset(std::string_view text);

}  // namespace gibbon::agent
