#pragma once

#include <string>
#include <string_view>

/// What makes two entries the same one.
namespace gibbon::logs {

/// An `entry_id` names its entry: the 16 bytes of a UUID behind a mark, other text behind another.
std::string key_of_entry_id(std::string_view entry_id);
/// An `id` alone may collide (clocks have an end), so a repeat is an entry with the same id and the same text.
std::string key_of_id(std::string_view id, std::string_view json);

/// A new UUIDv7 (RFC 9562, 5.7) of now, in lower case. Threads: any.
std::string make_entry_id();

}  // namespace gibbon::logs
