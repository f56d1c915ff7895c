#pragma once

#include <cctype>
#include <charconv>
#include <optional>
#include <string_view>

namespace transformers {

/// Lua's numbers: decimal and hexadecimal, with spaces around them.
inline std::optional<double> to_number(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return std::nullopt;
  text = text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  const bool hex = text.size() > 2 && text[0] == '0' && (text[1] | 0x20) == 'x';
  if (hex) text.remove_prefix(2);
  if (text.empty() || (text[0] != '.' && std::isxdigit(static_cast<unsigned char>(text[0])) == 0)) return std::nullopt;
  double number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number,
                                            hex ? std::chars_format::hex : std::chars_format::general);
  if (wrong != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return negative ? -number : number;
}

}  // namespace transformers
