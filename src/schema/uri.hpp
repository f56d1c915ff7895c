#pragma once

#include <optional>
#include <string>
#include <string_view>

/// URLs and paths as Kong reads them in configuration: more lenient than RFC 3986.
namespace gibbon::schema {

struct Url {
  std::optional<std::string> scheme, host, port, path;  ///< host: without brackets. Empty parts are absent.
};
/// Never fails: what is not understood becomes the path.
Url parse_url(std::string_view text);

/// Dots resolved, slashes merged, and percent-encoded characters that mean nothing special decoded.
std::string normalize_path(std::string_view path);

/// The first "%" with what follows it (at most two bytes) that is no escape; empty where all are.
std::string_view bad_percent_encoding(std::string_view text);

}  // namespace gibbon::schema
