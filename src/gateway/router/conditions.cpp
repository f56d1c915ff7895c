#include "gateway/router/conditions.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/ascii.hpp"

namespace gibbon::gateway {
namespace {

bool starts_alike(const std::uint8_t* a, const std::uint8_t* b, std::uint32_t bits) {
  const std::uint32_t bytes = bits / 8, rest = bits % 8;
  if (std::memcmp(a, b, bytes) != 0) return false;
  return rest == 0 || (a[bytes] >> (8 - rest)) == (b[bytes] >> (8 - rest));
}

std::string header_name(std::string_view name) {
  std::string result = ascii_lower(name);
  std::replace(result.begin(), result.end(), '_', '-');
  return result;
}

}  // namespace

Result<AddressRange> AddressRange::parse(const config::Endpoint& endpoint) {
  AddressRange range;
  range.port = endpoint.port;
  if (endpoint.ip.empty()) return range;
  const std::size_t slash = endpoint.ip.find('/');
  const std::string address = endpoint.ip.substr(0, slash);
  if (inet_pton(AF_INET, address.c_str(), range.bytes.data()) == 1) {
    range.family = AF_INET;
  } else if (inet_pton(AF_INET6, address.c_str(), range.bytes.data()) == 1) {
    range.family = AF_INET6;
  }
  range.prefix_bits = range.family == AF_INET ? 32 : 128;
  bool sound = range.family != AF_UNSPEC;
  if (slash != std::string::npos) {
    const std::string_view bits = std::string_view(endpoint.ip).substr(slash + 1);
    std::uint32_t number = 0;
    const auto parsed = std::from_chars(bits.data(), bits.data() + bits.size(), number);
    sound = sound && parsed.ec == std::errc() && parsed.ptr == bits.data() + bits.size() && number <= range.prefix_bits;
    range.prefix_bits = number;
  }
  if (!sound) return Error{"invalid ip or cidr range: '" + endpoint.ip + "'", "ip"};
  return range;
}

bool AddressRange::contains(const sockaddr* address) const noexcept {
  if (address == nullptr) return false;
  std::uint16_t number = 0;
  const std::uint8_t* bytes = nullptr;
  sa_family_t actual = address->sa_family;
  if (actual == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(address);
    number = ntohs(in->sin_port);
    bytes = reinterpret_cast<const std::uint8_t*>(&in->sin_addr);
  } else if (actual == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(address);
    number = ntohs(in->sin6_port);
    bytes = in->sin6_addr.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr) && family == AF_INET) {
      actual = AF_INET;
      bytes += 12;
    }
  } else {
    return family == AF_UNSPEC && port < 0;
  }
  if (port >= 0 && number != port) return false;
  return family == AF_UNSPEC || (family == actual && starts_alike(this->bytes.data(), bytes, prefix_bits));
}

bool HeaderCondition::holds(const HeaderSource& source, const PatternScratch& scratch) const noexcept {
  if (source.each == nullptr) return false;
  struct Search {
    const HeaderCondition& condition;
    const PatternScratch& scratch;
    bool found = false;
  } search{*this, scratch};
  source.each(
      source.context, name,
      [](void* argument, std::string_view value) {
        auto& s = *static_cast<Search*>(argument);
        s.found = std::any_of(s.condition.values.begin(), s.condition.values.end(),
                              [value](const std::string& wanted) { return equals_lower(value, wanted); }) ||
                  (s.condition.pattern && s.condition.pattern->match(value, s.scratch) != 0);
        return !s.found;
      },
      &search);
  return search.found;
}

Result<Conditions> Conditions::of(const config::Route& route) {
  Conditions result;
  for (const std::string& method : route.methods) {
    std::string& upper = result.methods.emplace_back(method);
    for (char& c : upper) c = ascii_upper(c);
  }
  for (const auto& [name, values] : route.headers) {
    HeaderCondition condition;
    condition.name = header_name(name);
    if (condition.name == "host") continue;  // That is what `hosts` is for.
    for (const std::string& value : values) condition.values.push_back(ascii_lower(value));
    if (values.size() == 1 && values[0].starts_with("~*")) {
      Result<Pattern> pattern = Pattern::compile(std::string_view(values[0]).substr(2), Pattern::Kind::kHeader);
      if (!pattern) return Error{pattern.error().message, "headers." + name};
      condition.pattern = std::move(pattern).value();
    }
    result.headers.push_back(std::move(condition));
  }
  for (const std::string& sni : route.snis) {
    std::string& lower = result.snis.emplace_back(ascii_lower(sni));
    if (lower.size() > 1 && lower.ends_with('.')) lower.pop_back();
  }
  for (auto [from, to] : {std::pair{&route.sources, &result.sources}, {&route.destinations, &result.destinations}}) {
    for (const config::Endpoint& endpoint : *from) {
      Result<AddressRange> range = AddressRange::parse(endpoint);
      if (!range) return range.error();
      to->push_back(std::move(range).value());
    }
  }
  return result;
}

bool Conditions::hold(const MatchInput& input, const PatternScratch& scratch) const noexcept {
  const auto names = [](const std::vector<std::string>& values, std::string_view value) {
    return values.empty() || std::find(values.begin(), values.end(), value) != values.end();
  };
  const auto contain = [](const std::vector<AddressRange>& ranges, const sockaddr* address) {
    return ranges.empty() || std::any_of(ranges.begin(), ranges.end(),
                                         [address](const AddressRange& range) { return range.contains(address); });
  };
  return names(methods, input.method) && (input.scheme == "http" || names(snis, input.sni)) &&
         contain(sources, input.source) && contain(destinations, input.destination) &&
         std::all_of(headers.begin(), headers.end(), [&](const HeaderCondition& header) {
           return header.holds(input.headers, scratch);
         });
}

}  // namespace gibbon::gateway
