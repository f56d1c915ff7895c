#pragma once

#include <string_view>

/// Who we say we are. Kong's tools and clients look at the emulated version alone.
namespace gibbon {

inline constexpr const char* kVersion = GIBBON_VERSION;
/// The Kong whose contract this build follows.
inline constexpr const char* kKongVersion = "3.9.3";
/// The `Server` header of the Admin API and, with `server_tokens`, of the gateway's own answers.
inline constexpr const char* kServerTokens = "kong/3.9.3 gibbon/" GIBBON_VERSION;

/// How Via names us, in both directions, behind the version of the protocol.
inline constexpr std::string_view kViaName = "kong/3.9.3";

}  // namespace gibbon
