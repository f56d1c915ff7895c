#include "gateway/client/url.hpp"

#include <charconv>

#include "base/ascii.hpp"
#include "base/percent.hpp"
#include "gateway/balancer/hosts.hpp"
#include "gibbon/json.hpp"

namespace gibbon::gateway::client {
namespace {

/// "user:password" as Basic wants it.
std::string basic(std::string_view credentials) {
  std::string value = "Basic ";
  append_base64(value, credentials);
  return value;
}

/// Spaces, controls and what is beyond ASCII as %XX.
std::string encoded_target(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out.append("%").append(1, "0123456789ABCDEF"[byte >> 4]).append(1, "0123456789ABCDEF"[byte & 15]);
    }
  }
  return out;
}

bool is_host(std::string_view host) {
  for (const char c : host) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || std::string_view("/?#@[]:\\<>\"").find(c) != std::string_view::npos) return false;
  }
  return !host.empty();
}

/// "host", "host:80", "[::1]:80"; false where it is none.
bool read_authority(std::string_view text, Url& url) {
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && end == std::string_view::npos) return false;
  const std::string_view host = bracketed ? text.substr(1, end - 1) : text.substr(0, end);
  std::string_view rest = end == std::string_view::npos ? std::string_view() : text.substr(bracketed ? end + 1 : end);
  if (bracketed ? !Address::parse(host) : !is_host(host)) return false;
  url.host = ascii_lower(host);
  const std::uint16_t usual = url.tls ? 443 : 80;
  url.port = usual;
  if (rest.starts_with(':') && rest.size() > 1) {
    rest.remove_prefix(1);
    const auto [at, error] = std::from_chars(rest.data(), rest.data() + rest.size(), url.port);
    if (error != std::errc() || at != rest.data() + rest.size() || url.port == 0) return false;
  } else if (!rest.empty() && rest != ":") {
    return false;
  }
  url.authority = bracketed ? "[" + url.host + "]" : url.host;
  if (url.port != usual) url.authority += ":" + std::to_string(url.port);
  return true;
}

}  // namespace

std::optional<Url> Url::parse(std::string_view text) {
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string scheme = ascii_lower(text.substr(0, colon));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  url.tls = scheme == "https";
  text.remove_prefix(colon + 3);
  text = text.substr(0, text.find('#'));
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, end);
  std::string_view target = text.substr(end);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = authority.substr(0, at);
    const std::size_t middle = std::min(user.find(':'), user.size());
    const std::string_view password = middle < user.size() ? user.substr(middle + 1) : std::string_view();
    url.authorization = basic(percent_decode(user.substr(0, middle)) + ":" + percent_decode(password));
    authority.remove_prefix(at + 1);
  }
  if (!read_authority(authority, url)) return std::nullopt;
  url.target = (target.starts_with('/') ? "" : "/") + encoded_target(target);
  return url;
}

}  // namespace gibbon::gateway::client
