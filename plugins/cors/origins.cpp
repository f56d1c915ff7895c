#include "origins.hpp"

#include <algorithm>

namespace cors {
namespace {

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

/// The length of a URL's scheme; 0 where it has none.
std::size_t scheme_length(std::string_view url) {
  if (url.empty() || !is_alphanumeric(url[0])) return 0;
  std::size_t n = 1;
  while (n < url.size() && (is_alphanumeric(url[n]) || url[n] == '+' || url[n] == '-' || url[n] == '.')) ++n;
  return n < url.size() && url[n] == ':' ? n : 0;
}

}  // namespace

Origin normalized(std::string_view text) {
  const std::size_t length = scheme_length(text);
  const std::string scheme(text.substr(0, length));
  std::string_view rest = length > 0 ? text.substr(length + 1) : text;
  if (!rest.starts_with("//")) return {std::string(text), std::string(text)};
  rest.remove_prefix(2);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  const std::size_t colon = rest.rfind(':');
  const bool has_port = colon != std::string_view::npos && rest.find(']', colon) == std::string_view::npos;
  const std::string_view host = rest.substr(0, has_port ? colon : rest.size());
  if (host.empty()) return {std::string(text), std::string(text)};
  const std::string_view port = has_port ? rest.substr(colon + 1) : std::string_view();
  const bool implied = (scheme == "http" && port == "80") || (scheme == "https" && port == "443");
  Origin origin{scheme.empty() ? "" : scheme + "://", std::string(host)};
  origin.domain.append(host);
  if (has_port && !implied) origin.domain.append(":").append(port);
  return origin;
}

bool is_pattern(std::string_view entry) {
  return std::any_of(entry.begin(), entry.end(), [](char c) {
    return !is_alphanumeric(c) && std::string_view(".:/-").find(c) == std::string_view::npos;
  });
}

Origins::Origins(const std::vector<std::string>& entries) {
  any_ = entries.empty() || (entries.size() == 1 && entries[0] == "*");
  if (any_) return;
  if (entries.size() == 1 && !is_pattern(entries[0])) {
    single_ = entries[0];
    return;
  }
  everyone_ = std::find(entries.begin(), entries.end(), "*") != entries.end();
  if (everyone_) return;
  for (const std::string& entry : entries) entries_.push_back(entry_of(entry));
}

/// A pattern matches from an origin's first character to its last, with or without anchors of its own.
Origins::Entry Origins::entry_of(std::string_view text) {
  Entry entry;
  if (!is_pattern(text)) {
    entry.plain = normalized(text);
    return entry;
  }
  std::string pattern(text.starts_with('^') ? text.substr(1) : text);
  if (!pattern.ends_with('$')) pattern += '$';
  entry.by_host = pattern.find(':') == std::string::npos;
  entry.regex = std::make_unique<Regex>(pattern);
  return entry;
}

Origins::Verdict Origins::judge(std::string_view origin) const {
  if (any_) return {"*", true};
  if (!single_.empty()) return {single_};
  if (origin.empty()) return {};
  if (everyone_) return {"*", true};
  const Origin asked = normalized(origin);
  for (const Entry& entry : entries_) {
    const bool found = entry.regex != nullptr ? entry.regex->matches(entry.by_host ? asked.host : asked.domain)
                                              : entry.plain.domain == asked.domain;
    if (found) return {asked.domain};
  }
  return {};
}

}  // namespace cors
