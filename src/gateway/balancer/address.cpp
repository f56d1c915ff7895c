#include <arpa/inet.h>
#include <net/if.h>

#include <charconv>
#include <cstring>

#include "gateway/balancer/hosts.hpp"

namespace gibbon::gateway {

std::optional<Address> Address::parse(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  const std::size_t percent = text.find('%');
  const std::string plain(text.substr(0, percent));
  Address address;
  if (percent == std::string_view::npos && inet_pton(AF_INET, plain.c_str(), address.bytes.data()) == 1) {
    address.family = AF_INET;
    return address;
  }
  if (inet_pton(AF_INET6, plain.c_str(), address.bytes.data()) != 1) return std::nullopt;
  address.family = AF_INET6;
  if (percent != std::string_view::npos) {
    const std::string zone(text.substr(percent + 1));
    address.scope = if_nametoindex(zone.c_str());
    if (address.scope == 0) {
      const auto parsed = std::from_chars(zone.data(), zone.data() + zone.size(), address.scope);
      if (parsed.ec != std::errc() || parsed.ptr != zone.data() + zone.size()) return std::nullopt;
    }
  }
  return address;
}

std::string Address::text() const {
  char buffer[INET6_ADDRSTRLEN];
  if (inet_ntop(family, bytes.data(), buffer, sizeof buffer) == nullptr) return {};
  return scope == 0 ? std::string(buffer) : std::string(buffer) + '%' + std::to_string(scope);
}

socklen_t Address::to_sockaddr(std::uint16_t port, sockaddr_storage* storage) const noexcept {
  std::memset(storage, 0, sizeof *storage);
  if (family == AF_INET) {
    auto* in = reinterpret_cast<sockaddr_in*>(storage);
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    std::memcpy(&in->sin_addr, bytes.data(), 4);
    return sizeof *in;
  }
  auto* in = reinterpret_cast<sockaddr_in6*>(storage);
  in->sin6_family = AF_INET6;
  in->sin6_port = htons(port);
  in->sin6_scope_id = scope;
  std::memcpy(&in->sin6_addr, bytes.data(), 16);
  return sizeof *in;
}

}  // namespace gibbon::gateway
