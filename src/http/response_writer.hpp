#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace gibbon::http {

enum class Persistence { kKeepAlive, kClose };
enum class Framing { kLength, kChunked, kUntilClose };

/// Appends the status line and the headers of `response`, with those that are the server's to add.
/// Line breaks within header values become spaces.
void append_head(const Response& response, Framing framing, Persistence persistence, std::string_view server_header,
                 std::string& out);

/// An answer with this status never has a body (RFC 9110, 6.4.1).
constexpr bool bodiless(int status) { return status < 200 || status == 204 || status == 304; }

}  // namespace gibbon::http
