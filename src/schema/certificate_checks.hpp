#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"

/// What Kong checks of certificates and keys, in its words. A message never holds anything of the text.
namespace gibbon::schema {

/// The formats "certificate" and "private_key".
std::optional<std::string> check_certificate(std::string_view text);
std::optional<std::string> check_private_key(std::string_view text);

// Checks of a whole entity whose fields are valid each by itself; fields that are missing or null are passed
// by.

/// "certificate_key": `key` is that of `cert`.
std::optional<std::string> check_certificate_key(const json::object& entity);
/// "certificate_alt_key": `key_alt` is that of `cert_alt`.
std::optional<std::string> check_certificate_alt_key(const json::object& entity);
/// "certificate_types": `cert` and `cert_alt` have keys of different types.
std::optional<std::string> check_certificate_types(const json::object& entity);
/// "ca_certificate": `cert` is one certificate, of an authority, and has not expired.
std::optional<std::string> check_ca_certificate(const json::object& entity);

}  // namespace gibbon::schema
