#pragma once

#include <string>
#include <string_view>

namespace gibbon {

/// "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", hexadecimal digits of either case.
bool is_uuid(std::string_view text);
/// A random UUID (version 4). Threads: any.
std::string uuid_v4();
/// The UUID (version 5, RFC 9562 section 5.5) of `name` in `name_space`, which must be a UUID.
std::string uuid_v5(std::string_view name_space, std::string_view name);

}  // namespace gibbon
