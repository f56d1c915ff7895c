#include "config/settings_text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "config/settings.hpp"

namespace gibbon {

namespace {

template <typename T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  text = settings::trim(text);
  unsigned shift = 0;
  if (!text.empty()) {
    switch (text.back()) {
      case 'k':
      case 'K':
        shift = 10;
        break;
      case 'm':
      case 'M':
        shift = 20;
        break;
      case 'g':
      case 'G':
        shift = 30;
        break;
      default:
        break;
    }
    if (shift != 0) text.remove_suffix(1);
  }
  const auto value = parse_whole<std::uint64_t>(text);
  if (!value || *value > (UINT64_MAX >> shift)) return std::nullopt;
  return *value << shift;
}

namespace settings {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const auto comma = text.find(',');
    const std::string_view part = trim(text.substr(0, comma));
    if (!part.empty()) parts.emplace_back(part);
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  constexpr std::string_view kSpace = " \t\r\n";
  for (auto begin = text.find_first_not_of(kSpace); begin != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(kSpace, begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(kSpace, end);
  }
  return words;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "on" || text == "true") return true;
  if (text == "off" || text == "false") return false;
  return std::nullopt;
}

std::optional<double> parse_number(std::string_view text) { return parse_whole<double>(text); }

bool is_address(std::string_view text) {
  const std::string copy(text);
  in6_addr buffer;
  return inet_pton(AF_INET, copy.c_str(), &buffer) == 1 || inet_pton(AF_INET6, copy.c_str(), &buffer) == 1;
}

bool is_address_range(std::string_view text) {
  const auto slash = text.find('/');
  if (!is_address(text.substr(0, slash))) return false;
  if (slash == std::string_view::npos) return true;
  const auto bits = parse_whole<unsigned>(text.substr(slash + 1));
  return bits && *bits <= (text.find(':') == std::string_view::npos ? 32u : 128u);
}

std::optional<std::string> normalize_server(std::string_view text, unsigned default_port) {
  std::string_view host = text, port;
  if (text.starts_with('[')) {
    const auto bracket = text.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    host = text.substr(1, bracket - 1);
    port = text.substr(bracket + 1);
    if (!port.empty() && !port.starts_with(':')) return std::nullopt;
    if (!port.empty()) port.remove_prefix(1);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
  } else if (std::ranges::count(text, ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(text.find(':') + 1);
    if (port.empty()) return std::nullopt;
  }
  if (!is_address(host)) return std::nullopt;
  unsigned number = default_port;
  if (!port.empty()) {
    const auto given = parse_whole<unsigned>(port);
    if (!given || *given == 0 || *given > 65535) return std::nullopt;
    number = *given;
  }
  const std::string name =
      host.find(':') == std::string_view::npos ? std::string(host) : "[" + std::string(host) + "]";
  return name + ":" + std::to_string(number);
}

bool is_token(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace settings
}  // namespace gibbon
