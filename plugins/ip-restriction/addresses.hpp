#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// Addresses and ranges of them (RFC 4632, RFC 4291). Threads: any.
namespace ip_restriction {

struct Address {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t size = 0;  ///< 4 or 16.
};

/// "192.0.2.7" or "2001:db8::7"; nothing for any other text.
inline std::optional<Address> parse_address(std::string_view text) {
  const std::string terminated(text);
  Address address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) {
    address.size = 4;
  } else if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) {
    address.size = 16;
  } else {
    return {};
  }
  return address;
}

/// The IPv4 address that an IPv6 address stands for (::ffff:192.0.2.7); nothing where it stands for none.
inline std::optional<Address> mapped_address(const Address& address) {
  constexpr std::array<std::uint8_t, 12> kPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (address.size != 16 || !std::equal(kPrefix.begin(), kPrefix.end(), address.bytes.begin())) return {};
  Address mapped;
  std::copy_n(address.bytes.begin() + kPrefix.size(), 4, mapped.bytes.begin());
  mapped.size = 4;
  return mapped;
}

/// An address, or all those that begin with the same bits.
class Range {
 public:
  /// "192.0.2.7", "192.0.2.0/24", "2001:db8::/32". Throws std::invalid_argument for any other text.
  explicit Range(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::optional<Address> first = parse_address(text.substr(0, slash));
    if (!first) throw std::invalid_argument("'" + std::string(text) + "' is no address and no range of them");
    first_ = *first;
    bits_ = first_.size * 8;
    if (slash != std::string_view::npos) bits_ = parse_bits(text, slash + 1);
  }

  /// An IPv4 address is in no range of IPv6 addresses, and the other way round.
  [[nodiscard]] bool holds(const Address& address) const {
    if (address.size != first_.size) return false;
    const std::size_t whole = bits_ / 8, rest = bits_ % 8;
    if (!std::equal(first_.bytes.begin(), first_.bytes.begin() + whole, address.bytes.begin())) return false;
    if (rest == 0) return true;
    const unsigned mask = 0xFFU << (8 - rest);
    return ((first_.bytes[whole] ^ address.bytes[whole]) & mask & 0xFFU) == 0;
  }

 private:
  [[nodiscard]] std::size_t parse_bits(std::string_view text, std::size_t start) const {
    std::size_t bits = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + start, end, bits);
    if (read.ec != std::errc() || read.ptr != end || bits > first_.size * 8)
      throw std::invalid_argument("'" + std::string(text) + "' is no range of addresses");
    return bits;
  }

  Address first_;
  std::size_t bits_ = 0;
};

class Ranges {
 public:
  explicit Ranges(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) ranges_.emplace_back(text);
  }
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  /// An address that stands for an IPv4 address is in the ranges of that one too.
  [[nodiscard]] bool hold(const Address& address) const {
    const std::optional<Address> mapped = mapped_address(address);
    return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
      return range.holds(address) || (mapped && range.holds(*mapped));
    });
  }

 private:
  std::vector<Range> ranges_;
};

}  // namespace ip_restriction
