#include "schema/hosts.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace gibbon::schema {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

bool parse_address(int family, std::string_view text) {
  unsigned char bytes[16];
  return text.size() < 64 && inet_pton(family, std::string(text).c_str(), bytes) == 1;
}

/// Takes a port's digits; false where it is too large.
bool take_port(std::string_view digits, HostPort& host) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    host.port_too_large = true;
    return false;
  }
  host.port = port;
  return true;
}

/// Four groups of one to three digits, leading zeros allowed.
bool is_dotted_quad(std::string_view text) {
  for (int group = 0; group < 4; ++group) {
    const std::size_t dot = group < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return false;
    const std::string_view digits = text.substr(0, dot);
    if (digits.size() > 3 || !all_digits(digits)) return false;
    if (int value = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc() ||
        value > 255) {
      return false;
    }
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return text.empty();
}

HostPort parse_ipv6(std::string_view text) {
  HostPort host{.kind = HostPort::Kind::kIpv6};
  std::string_view address = text, port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return host;
    address = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (!port.empty() && (port.front() != ':' || !all_digits(port.substr(1)))) return host;
  }
  if (address.find('.') != std::string_view::npos || !parse_address(AF_INET6, address)) return host;
  host.valid = port.empty() || take_port(port.substr(1), host);
  return host;
}

HostPort parse_ipv4(std::string_view text) {
  HostPort host{.kind = HostPort::Kind::kIpv4};
  const std::size_t colon = text.find(':');
  if (!is_dotted_quad(text.substr(0, colon))) return host;
  if (colon == std::string_view::npos) {
    host.valid = true;
  } else if (all_digits(text.substr(colon + 1))) {
    host.valid = take_port(text.substr(colon + 1), host);
  }
  return host;
}

bool is_name_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
}

/// Labels may not be empty (but the last, of a name with a final dot) nor end in a dash.
bool is_host_name(std::string_view name) {
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_character)) return false;
  for (;;) {
    const std::size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (label.ends_with('-')) return false;
    if (dot == std::string_view::npos) return true;
    if (label.empty()) return false;
    name.remove_prefix(dot + 1);
  }
}

HostPort parse_name(std::string_view text) {
  HostPort host;
  const std::size_t colon = text.rfind(':');
  std::string_view name = text;
  if (colon != std::string_view::npos && all_digits(text.substr(colon + 1))) {
    name = text.substr(0, colon);
    if (!take_port(text.substr(colon + 1), host)) return host;
  }
  host.valid = is_host_name(name);
  return host;
}

/// Splits "address/prefix"; false where there is no prefix of at most `bits`.
bool split_cidr(std::string_view text, int bits, std::string_view* address) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view digits = text.substr(slash + 1);
  if (digits.size() > 3 || !all_digits(digits) || (digits.size() > 1 && digits.front() == '0')) return false;
  *address = text.substr(0, slash);
  return std::stoi(std::string(digits)) <= bits;
}

bool is_ipv6_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  return parse_address(AF_INET6, text);
}

}  // namespace

HostPort parse_host_port(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return {};
  if (std::count(text.begin(), text.end(), ':') > 1) return parse_ipv6(text);
  const bool digits_and_dots = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || c == '.' || c == ':';
  });
  return digits_and_dots && text != ":" ? parse_ipv4(text) : parse_name(text);
}

std::string format_host_port(std::string_view text, std::uint16_t default_port) {
  const HostPort parsed = parse_host_port(text);
  if (!parsed.valid) return {};
  const std::string port = ':' + std::to_string(parsed.port.value_or(default_port));
  const std::size_t colon = parsed.port ? text.rfind(':') : text.size();
  const std::string host(text.substr(0, colon));
  if (parsed.kind == HostPort::Kind::kName) return host + port;
  unsigned char bytes[16];
  if (parsed.kind == HostPort::Kind::kIpv4) {
    std::string out;
    for (std::size_t at = 0; at <= host.size();) {
      const std::size_t dot = std::min(host.find('.', at), host.size());
      out += (out.empty() ? "" : ".") + std::to_string(std::stoi(host.substr(at, dot - at)));
      at = dot + 1;
    }
    return out + port;
  }
  const std::string address = host.starts_with('[') ? host.substr(1, host.find(']') - 1) : host;
  inet_pton(AF_INET6, address.c_str(), bytes);
  std::string out;
  constexpr std::string_view digits = "0123456789abcdef";
  for (int i = 0; i < 16; ++i) {
    if (i > 0 && i % 2 == 0) out += ':';
    out += digits[bytes[i] >> 4];
    out += digits[bytes[i] & 15];
  }
  return '[' + out + ']' + port;
}

bool is_ip(std::string_view text) {
  return text.find('\0') == std::string_view::npos && (parse_address(AF_INET, text) || is_ipv6_address(text));
}

bool is_ipv4_cidr(std::string_view text) {
  std::string_view address;
  return text.find('\0') == std::string_view::npos && split_cidr(text, 32, &address) &&
         parse_address(AF_INET, address);
}

bool is_ip_or_cidr(std::string_view text) {
  if (is_ip(text) || is_ipv4_cidr(text)) return true;
  std::string_view address;
  return text.find('\0') == std::string_view::npos && split_cidr(text, 128, &address) &&
         is_ipv6_address(address);
}

}  // namespace gibbon::schema
