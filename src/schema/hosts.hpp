#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Host names and addresses as configuration writes them.
namespace gibbon::schema {

struct HostPort {
  enum class Kind { kName, kIpv4, kIpv6 };
  Kind kind = Kind::kName;
  bool valid = false;           ///< The host is well formed. False makes the rest meaningless.
  bool port_too_large = false;  ///< A port above 65535.
  std::optional<std::uint16_t> port;
};

/// "name", "name:port", "1.2.3.4", "1.2.3.4:port", "::1", "[::1]", "[::1]:port".
HostPort parse_host_port(std::string_view text);
/// The same text as Kong stores it: an IPv4 address without leading zeros, an IPv6 address written out and in
/// brackets, a name as it is, each with its port or `default_port`. Empty where `text` is not valid.
std::string format_host_port(std::string_view text, std::uint16_t default_port);

bool is_ip(std::string_view text);
bool is_ipv4_cidr(std::string_view text);
/// An address of either family, or one with "/prefix".
bool is_ip_or_cidr(std::string_view text);

}  // namespace gibbon::schema
