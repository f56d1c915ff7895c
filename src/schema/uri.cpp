#include "schema/uri.hpp"

#include <algorithm>
#include <vector>

namespace gibbon::schema {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_escape(std::string_view text, std::size_t at) {
  return at + 2 < text.size() && text[at] == '%' && hex_value(text[at + 1]) >= 0 &&
         hex_value(text[at + 2]) >= 0;
}

/// Length of "scheme" in "scheme:..."; 0 where there is none.
std::size_t scheme_length(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() &&
         (is_alphanumeric(text[n]) || (n > 0 && (text[n] == '+' || text[n] == '-' || text[n] == '.')))) {
    ++n;
  }
  return n < text.size() && text[n] == ':' ? n : 0;
}

void parse_authority(std::string_view authority, Url& url) {
  if (const std::size_t at = authority.find('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  if (const std::size_t colon = authority.rfind(':');
      colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    if (colon + 1 < authority.size()) url.port = std::string(authority.substr(colon + 1));
    authority = authority.substr(0, colon);
  }
  if (authority.size() > 2 && authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  }
  if (!authority.empty()) url.host = std::string(authority);
}

/// Decodes escapes of all but RFC 3986's reserved characters and '%'; the escapes that stay get capital
/// letters.
std::string decode_harmless(std::string_view text) {
  static constexpr std::string_view kReserved = "!*'();:@&=+$,/?%#[]";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_escape(text, i)) {
      out += text[i];
      continue;
    }
    const auto decoded = static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    if (kReserved.find(decoded) == std::string_view::npos) {
      out += decoded;
    } else {
      for (std::size_t j = i; j < i + 3; ++j)
        out += text[j] >= 'a' && text[j] <= 'f' ? static_cast<char>(text[j] - 32) : text[j];
    }
    i += 2;
  }
  return out;
}

}  // namespace

Url parse_url(std::string_view text) {
  Url url;
  text = text.substr(0, text.find('#'));
  if (const std::size_t n = scheme_length(text); n > 0) {
    url.scheme = std::string(text.substr(0, n));
    text.remove_prefix(n + 1);
  }
  std::string_view authority;
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    authority = text.substr(0, text.find_first_of("/?"));
    text.remove_prefix(authority.size());
  }
  text = text.substr(0, text.find_first_of("?;"));
  if (!text.empty()) url.path = std::string(text);
  parse_authority(authority, url);
  return url;
}

std::string normalize_path(std::string_view path) {
  if (path.empty() || path == "/") return std::string(path);
  const std::string decoded = decode_harmless(path);
  std::vector<std::string_view> segments;  // Each with the slash before it.
  std::string_view rest = decoded;
  while (!rest.empty()) {
    if (rest.front() == '/' && rest.size() > 1 && rest[1] == '/') {
      rest.remove_prefix(1);
      continue;
    }
    const std::size_t slash = rest.find('/', 1);
    std::string_view segment = rest.substr(0, slash);
    rest.remove_prefix(segment.size());
    const std::string_view name = segment.front() == '/' ? segment.substr(1) : segment;
    if (name == "." || name == "..") {
      if (name == ".." && segment.front() == '/' && !segments.empty()) segments.pop_back();
      if (rest.empty() && segment.front() == '/') segments.push_back("/");
      if (segment.front() != '/' && !rest.empty()) rest.remove_prefix(1);
    } else {
      segments.push_back(segment);
    }
  }
  std::string out;
  for (const std::string_view segment : segments) out += segment;
  return out;
}

std::string_view bad_percent_encoding(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') continue;
    if (!is_escape(text, i)) return text.substr(i, 3);
    i += 2;
  }
  return {};
}

}  // namespace gibbon::schema
