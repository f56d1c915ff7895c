#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gibbon::gateway::client {

/// Where an http or https URL leads.
struct Url {
  bool tls = false;
  std::string host;  ///< In lower case; an IPv6 address without its brackets.
  std::uint16_t port = 0;
  std::string authority;      ///< As Host says it: with the port where it is not the scheme's own.
  std::string target = "/";   ///< Path and query; what no request line may hold is percent-encoded.
  std::string authorization;  ///< "Basic ..." of the URL's user and password; empty: it has none.

  /// Nothing where it is no such URL.
  static std::optional<Url> parse(std::string_view text);
};

}  // namespace gibbon::gateway::client
