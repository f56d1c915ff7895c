#pragma once

#include <string>
#include <string_view>

#include "config/entities.hpp"

/// What Kong does to paths: before it matches them, and on their way to the upstream.
namespace gibbon::gateway {

/// The path of a request target, without its query (which begins at the first '?').
std::string_view path_of(std::string_view target) noexcept;

/// Normalises a path as Kong does before it matches: percent-encoded bytes are decoded unless they are reserved
/// (those keep their code, in upper case), dot segments are resolved, repeated slashes merged.
/// Returns `path` itself where nothing is to do; otherwise the result lies in `buffer`, which is overwritten.
std::string_view normalize_path(std::string_view path, std::string& buffer);

/// Appends the path that goes to the upstream, without a query, percent-encoded where needed.
/// `path`: the request's, normalised. `matched_length`: how many of its bytes the route's path matched; 0 where the
/// route has no paths. An empty `service_path` means "/".
void append_upstream_path(const config::Route& route, std::string_view service_path, std::string_view path,
                          std::size_t matched_length, std::string& out);

}  // namespace gibbon::gateway
