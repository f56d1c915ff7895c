#include "gateway/router/host_table.hpp"

#include <charconv>

#include "base/ascii.hpp"

namespace gibbon::gateway {
namespace {

/// Takes ":port" off the end of `host`. An IPv6 address has a port only behind brackets, which are removed.
bool take_port(std::string_view& host, std::uint16_t& port) {
  std::string_view digits;
  if (host.starts_with('[')) {
    const std::size_t bracket = host.find(']');
    if (bracket == std::string_view::npos) return false;
    const std::string_view after = host.substr(bracket + 1);
    host = host.substr(1, bracket - 1);
    if (after.empty()) return true;
    if (after[0] != ':') return false;
    digits = after.substr(1);
  } else {
    const std::size_t colon = host.find(':');
    if (colon == std::string_view::npos || host.find(':', colon + 1) != std::string_view::npos) return true;
    digits = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size() && port != 0;
}

}  // namespace

Result<HostPattern> HostPattern::parse(std::string_view host) {
  const std::string given(host);
  HostPattern pattern;
  if (!take_port(host, pattern.port)) return Error{"invalid host '" + given + "': expected host or host:port", "hosts"};
  if (host.starts_with("*.")) {
    pattern.kind = Kind::kSuffix;
    host.remove_prefix(1);
  } else if (host.ends_with(".*")) {
    pattern.kind = Kind::kPrefix;
    host.remove_suffix(1);
  }
  if (host.find('*') != std::string_view::npos || host.empty()) {
    return Error{"invalid host '" + given + "': a wildcard must be the leftmost or the rightmost label", "hosts"};
  }
  pattern.text = ascii_lower(host);
  return pattern;
}

std::uint32_t HostTable::insert(const HostPattern& pattern, std::uint32_t next) {
  has_ports_ |= pattern.port != 0;
  Map& map = pattern.kind == HostPattern::Kind::kPlain    ? plain_
             : pattern.kind == HostPattern::Kind::kSuffix ? suffixes_
                                                          : prefixes_;
  return map.try_emplace(Key{pattern.text, pattern.port}, next).first->second;
}

}  // namespace gibbon::gateway
