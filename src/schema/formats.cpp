#include "schema/formats.hpp"

#include <algorithm>
#include <utility>

#include "base/ascii.hpp"
#include "schema/certificate_checks.hpp"
#include "schema/hosts.hpp"
#include "schema/regex.hpp"
#include "schema/uri.hpp"
#include "schema/utf8.hpp"

namespace gibbon::schema {
namespace {

using Violation = std::optional<std::string>;

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }
Violation invalid(std::string_view text) { return "invalid value: " + std::string(text); }

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_multibyte(char c) {
  return static_cast<unsigned char>(c) >= 0x80 && static_cast<unsigned char>(c) <= 0xf4;
}

template <typename Allowed>
bool consists_of(std::string_view text, Allowed allowed) {
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

Violation check_utf8(std::string_view text) {
  const std::size_t bad = first_invalid_utf8(text);
  if (bad == std::string_view::npos) return {};
  return "invalid utf-8 character sequence detected at position " + std::to_string(bad + 1);
}

Violation check_name(std::string_view text) {
  if (Violation bad = check_utf8(text)) return bad;
  if (consists_of(text, [](char c) {
        return is_alphanumeric(c) || std::string_view(".-_~").find(c) != std::string_view::npos ||
               is_multibyte(c);
      })) {
    return {};
  }
  return "invalid value " + quoted(text) +
         ": the only accepted ascii characters are alphanumerics or ., -, _, and ~";
}

Violation check_tag(std::string_view text) {
  if (Violation bad = check_utf8(text)) return bad;
  if (consists_of(text,
                  [](char c) { return (c >= ' ' && c <= '~' && c != ',' && c != '/') || is_multibyte(c); })) {
    return {};
  }
  return "invalid tag " + quoted(text) +
         ": expected printable ascii (except `,` and `/`) or valid utf-8 sequences";
}

Violation check_url(std::string_view text) {
  const Url url = parse_url(text);
  if (text.empty()) return "could not parse url. invalid url";
  if (!url.host) return "missing host in url";
  if (!url.scheme) return "missing scheme in url";
  return {};
}

/// A URL that can be called over HTTP.
Violation check_http_url(std::string_view text) {
  if (Violation bad = check_url(text)) return bad;
  const std::string scheme = ascii_lower(*parse_url(text).scheme);
  if (scheme != "http" && scheme != "https") return "the scheme must be http or https";
  return {};
}

Violation check_percent(std::string_view text) {
  const std::string_view bad = bad_percent_encoding(text);
  if (bad.empty()) return {};
  return "invalid url-encoded value: " + quoted(bad);
}

bool is_rfc3986_path(std::string_view text) {
  return text.starts_with('/') && consists_of(text, [](char c) {
           return is_alphanumeric(c) ||
                  std::string_view("._-~/%:@!$&'()*+,;=").find(c) != std::string_view::npos;
         });
}

Violation check_path(std::string_view text) {
  if (!is_rfc3986_path(text)) {
    return "invalid path: " + quoted(text) + " (characters outside of the reserved list of RFC 3986 found)";
  }
  return check_percent(text);
}

Violation check_regex(std::string_view text) {
  const std::string error = regex_error(text);
  if (error.empty()) return {};
  return "invalid regex: " + quoted(text) + " (PCRE returned: " + error + ")";
}

/// A path of a route: "/..." is a prefix, "~..." a regular expression.
Violation check_router_path(std::string_view text) {
  if (text.starts_with('~')) return check_regex(text.substr(1));
  if (is_rfc3986_path(text)) {
    if (Violation bad = check_percent(text)) return bad;
  }
  const std::string normalized = normalize_path(text);
  if (normalized != text) return "non-normalized path, consider use " + quoted(normalized) + " instead";
  return {};
}

enum class Names { kOnly, kOrAddresses };

Violation check_host_of(std::string_view parsed, std::string_view shown, Names names) {
  const HostPort host = parse_host_port(parsed);
  if (!host.valid && !host.port_too_large) return invalid(shown);
  if (names == Names::kOnly && host.valid && host.kind != HostPort::Kind::kName) return "must not be an IP";
  if (host.port_too_large || host.port) return "must not have a port";
  return {};
}

Violation check_host(std::string_view text) { return check_host_of(text, text, Names::kOrAddresses); }
Violation check_sni(std::string_view text) { return check_host_of(text, text, Names::kOnly); }

Violation check_host_with_optional_port(std::string_view text) {
  const HostPort host = parse_host_port(text);
  if (host.port_too_large) return "invalid port number";
  if (host.valid) return {};
  switch (host.kind) {
    case HostPort::Kind::kIpv4:
      return "invalid ipv4 address: " + std::string(text);
    case HostPort::Kind::kIpv6:
      return "invalid ipv6 address: " + std::string(text);
    default:
      return "invalid hostname: " + std::string(text);
  }
}

std::string with_wildcards_as(std::string_view replacement, std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '*') {
      out += replacement;
    } else {
      out += c;
    }
  }
  return out;
}

/// A host of a route: its wildcards stand for labels.
Violation check_route_host(std::string_view text) {
  return check_host_with_optional_port(with_wildcards_as("abc", text));
}

Violation check_wildcard_host(std::string_view text) {
  const std::size_t star = text.find('*');
  if (star == std::string_view::npos) return check_sni(text);
  if (star != 0 && star + 1 != text.size()) return "wildcard must be leftmost or rightmost character";
  if (text.find('*', star + 1) != std::string_view::npos) return "only one wildcard must be specified";
  const std::string host = with_wildcards_as("wildcard", text);
  return check_host_of(host, host, Names::kOnly);
}

Violation check_ip(std::string_view text) {
  if (is_ip(text)) return {};
  return "not an ip address: " + std::string(text);
}

Violation check_ip_or_cidr(std::string_view text) {
  if (is_ip_or_cidr(text)) return {};
  return "invalid ip or cidr range: " + quoted(text);
}

Violation check_cidr_v4(std::string_view text) {
  if (is_ipv4_cidr(text) || (is_ip(text) && text.find(':') == std::string_view::npos)) return {};
  return "invalid ipv4 cidr range: " + quoted(text);
}

Violation check_header_name(std::string_view text) {
  if (text.empty()) return "no header name provided";
  if (consists_of(text, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; })) return {};
  return "bad header name " + quoted(text) + ", allowed characters are A-Z, a-z, 0-9, '_', and '-'";
}

Violation check_cookie_name(std::string_view text) {
  if (text.empty()) return "no cookie name provided";
  if (consists_of(text, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; })) return {};
  return "bad cookie name " + quoted(text) + ", allowed characters are A-Z, a-z, 0-9, '_', and '-'";
}

/// `what` with the text, where it can be shown.
std::string invalid_called(std::string_view what, std::string_view text) {
  std::string message = "Invalid " + std::string(what);
  if (first_invalid_utf8(text) == std::string_view::npos) message += " ('" + std::string(text) + "')";
  return message;
}

Violation check_upstream_name(std::string_view text) {
  const HostPort host = parse_host_port(text);
  if (!host.valid) return invalid_called("name", text) + "; must be a valid hostname";
  if (host.kind != HostPort::Kind::kName) return invalid_called("name", text) + "; no ip addresses allowed";
  if (host.port) return invalid_called("name", text) + "; no port allowed";
  return {};
}

Violation check_target(std::string_view text) {
  if (parse_host_port(text).valid) return {};
  return invalid_called("target", text) + "; not a valid hostname or ip address";
}

constexpr std::pair<std::string_view, Violation (*)(std::string_view)> kFormats[] = {
    {"name", check_name},
    {"tag", check_tag},
    {"utf8", check_utf8},
    {"url", check_url},
    {"http_url", check_http_url},
    {"path", check_path},
    {"router_path", check_router_path},
    {"regex", check_regex},
    {"host", check_host},
    {"host_with_optional_port", check_host_with_optional_port},
    {"route_host", check_route_host},
    {"wildcard_host", check_wildcard_host},
    {"sni", check_sni},
    {"ip", check_ip},
    {"ip_or_cidr", check_ip_or_cidr},
    {"cidr_v4", check_cidr_v4},
    {"header_name", check_header_name},
    {"cookie_name", check_cookie_name},
    {"upstream_name", check_upstream_name},
    {"target", check_target},
    {"certificate", check_certificate},
    {"private_key", check_private_key},
};

}  // namespace

std::optional<std::string> check_format(std::string_view format, std::string_view text) {
  for (const auto& [name, check] : kFormats) {
    if (name == format) return check(text);
  }
  return {};
}

bool is_known_format(std::string_view format) {
  return std::any_of(std::begin(kFormats), std::end(kFormats),
                     [&](const auto& entry) { return entry.first == format; });
}

bool is_vault_reference(std::string_view text) {
  return text.starts_with("{vault://") && text.ends_with('}');
}

}  // namespace gibbon::schema
