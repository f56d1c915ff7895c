#pragma once

#include <string_view>

namespace gibbon {

/// What `bundled` stands for among the names of plugins: those of Kong's that ship with Gibbon. The logger of the guide
/// is not one: it is named, as in Kong.
inline constexpr std::string_view kBundle[] = {
    "acl",
    "basic-auth",
    "correlation-id",
    "cors",
    "file-log",
    "http-log",
    "ip-restriction",
    "key-auth",
    "prometheus",
    "rate-limiting",
    "request-size-limiting",
    "request-termination",
    "request-transformer",
    "response-transformer",
};

}  // namespace gibbon
