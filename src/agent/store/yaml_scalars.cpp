// What plain scalars mean: YAML 1.1 as Kong's parser (lyaml) reads it.
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

#include "agent/store/yaml.hpp"

namespace gibbon::agent {
namespace {

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const auto word : words)
    if (text == word) return true;
  return false;
}

/// As in Lua, a whole number is one however it was written.
json::value number(double value) {
  if (value == std::floor(value) && std::abs(value) < 9007199254740992.0)
    return static_cast<std::int64_t>(value);
  return value;
}

struct Signed {
  double factor = 1;
  std::string_view rest;
};

Signed sign_of(std::string_view text) {
  if (text.starts_with('-')) return {-1, text.substr(1)};
  return {1, text.starts_with('+') ? text.substr(1) : text};
}

/// Digits of `base` with underscores between; nothing where anything else is there, or no digit.
std::optional<double> digits(std::string_view text, int base) {
  double value = 0;
  bool any = false;
  for (const char c : text) {
    if (c == '_') continue;
    const char lower = static_cast<char>(c | 0x20);
    const int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
    any = true;
  }
  return any ? std::optional(value) : std::nullopt;
}

/// "190:20:30", with a fraction or without.
std::optional<double> sexagesimal(std::string_view text) {
  std::string_view fraction;
  if (const auto dot = text.find('.'); dot != std::string_view::npos) {
    fraction = text.substr(dot);
    text = text.substr(0, dot);
    if (fraction.size() < 2 || fraction.substr(1).find_first_not_of("0123456789") != std::string_view::npos)
      return std::nullopt;
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  if (text.find_first_not_of("0123456789:") != std::string_view::npos) return std::nullopt;
  const auto second = text.substr(colon + 1);
  if (second.empty() || second[0] == ':') return std::nullopt;
  const auto length = std::min(second.find(':'), second.size());
  // The part after the first colon has one digit, or two of which the first is at most five.
  if (length > 2 || (length == 2 && second[0] > '5')) return std::nullopt;
  double value = 0, part = 0;
  bool open = false;
  for (const char c : text) {
    if (c == ':') {
      if (open) value = value * 60 + part;
      part = 0;
      open = false;
    } else {
      part = part * 10 + (c - '0');
      open = true;
    }
  }
  if (open) value = value * 60 + part;
  if (!fraction.empty())
    value += *digits(fraction.substr(1), 10) / std::pow(10.0, static_cast<double>(fraction.size() - 1));
  return value;
}

std::optional<double> real(std::string_view text) {
  if (text.find_first_of(".eE") == std::string_view::npos) return std::nullopt;
  std::string plain;
  for (const char c : text)
    if (c != '_') plain += c;
  const auto [factor, rest] = sign_of(plain);
  if (rest.empty() || rest.find_first_not_of("0123456789.eE+-") != std::string_view::npos)
    return std::nullopt;
  if (rest[0] != '.' && (rest[0] < '0' || rest[0] > '9')) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc() || end != rest.data() + rest.size()) return std::nullopt;
  return factor * value;
}

}  // namespace

json::value plain_scalar(std::string_view text) {
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (one_of(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})) return true;
  if (one_of(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})) return false;
  // Most scalars are words: nothing below begins with a letter.
  if ((text[0] < '0' || text[0] > '9') && text[0] != '+' && text[0] != '-' && text[0] != '.' &&
      text[0] != '_')
    return json::value(text);
  const auto [factor, rest] = sign_of(text);
  if (rest.starts_with("0x")) {
    if (const auto value = digits(rest.substr(2), 16)) return number(factor * *value);
    return json::value(text);
  }
  if (rest.starts_with("0b")) {
    if (const auto value = digits(rest.substr(2), 2)) return number(factor * *value);
    return json::value(text);
  }
  const bool octal = rest.size() > 1 && rest[0] == '0';
  if (octal)
    if (const auto value = digits(rest.substr(1), 8)) return number(factor * *value);
  if (const auto value = digits(rest, 10)) return number(factor * *value);
  if (const auto value = real(text)) return number(*value);
  if (const auto value = sexagesimal(rest)) return number(factor * *value);
  return json::value(text);
}

std::optional<json::value> tagged_scalar(std::string_view tag, std::string_view text) {
  constexpr std::string_view kPrefix = "tag:yaml.org,2002:";
  if (!tag.starts_with(kPrefix)) return json::value(text);
  tag.remove_prefix(kPrefix.size());
  if (tag == "null") return json::value(nullptr);
  if (tag == "bool" && one_of(text, {"y", "Y"})) return json::value(true);
  if (tag == "bool" && one_of(text, {"n", "N"})) return json::value(false);
  if (tag != "bool" && tag != "int" && tag != "float") return json::value(text);
  auto value = plain_scalar(text);
  if (tag == "bool" ? value.is_bool() : value.is_number()) return value;
  return std::nullopt;
}

}  // namespace gibbon::agent
