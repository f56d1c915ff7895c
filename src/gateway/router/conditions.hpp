#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/entities.hpp"
#include "gateway/router/pattern.hpp"
#include "gateway/router/router.hpp"

namespace gibbon::gateway {

/// Addresses and ports that an element of `sources` or `destinations` names.
struct AddressRange {
  sa_family_t family = AF_UNSPEC;          ///< AF_UNSPEC: any address.
  std::array<std::uint8_t, 16> bytes{};
  std::uint32_t prefix_bits = 0;
  std::int32_t port = -1;                  ///< -1: any.

  /// Errors: no address and no CIDR range.
  static Result<AddressRange> parse(const config::Endpoint& endpoint);
  [[nodiscard]] bool contains(const sockaddr* address) const noexcept;
};

/// One of a route's `headers`.
struct HeaderCondition {
  std::string name;                        ///< Lower case, with hyphens.
  std::vector<std::string> values;         ///< Lower case; any of them will do.
  std::optional<Pattern> pattern;          ///< Where the only value began with "~*".

  [[nodiscard]] bool holds(const HeaderSource& headers, const PatternScratch& scratch) const noexcept;
};

/// What a route demands beside hosts and paths.
struct Conditions {
  std::vector<std::string> methods;        ///< Upper case.
  std::vector<HeaderCondition> headers;
  std::vector<std::string> snis;           ///< Lower case. They do not count without TLS.
  std::vector<AddressRange> sources, destinations;

  /// Errors: a header's regex or an address that makes no sense.
  static Result<Conditions> of(const config::Route& route);
  [[nodiscard]] bool empty() const {
    return methods.empty() && headers.empty() && snis.empty() && sources.empty() && destinations.empty();
  }
  [[nodiscard]] bool hold(const MatchInput& input, const PatternScratch& scratch) const noexcept;
};

}  // namespace gibbon::gateway
