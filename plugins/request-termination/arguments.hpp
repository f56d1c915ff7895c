#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Arguments of a query or of a form, as application/x-www-form-urlencoded has them.
namespace request_termination {

/// A name with its values, in the order in which they came; no value where the name stood alone.
struct Named {
  std::string name;
  std::vector<std::optional<std::string>> values;
};
using NamedList = std::vector<Named>;

inline void add(NamedList& list, std::string name, std::optional<std::string> value) {
  for (Named& named : list) {
    if (named.name != name) continue;
    named.values.push_back(std::move(value));
    return;
  }
  list.push_back({std::move(name), {std::move(value)}});
}

inline int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

inline std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

/// The first 100 arguments, as Kong reads them. One without a name is left out.
inline NamedList arguments_of(std::string_view text) {
  constexpr int kMost = 100;
  NamedList list;
  for (int count = 0; !text.empty() && count < kMost; ++count) {
    const std::size_t end = text.find('&');
    const std::string_view part = text.substr(0, end);
    const std::size_t equals = part.find('=');
    std::string name = decoded(part.substr(0, equals));
    if (!name.empty())
      add(list, std::move(name),
          equals == std::string_view::npos ? std::nullopt : std::optional(decoded(part.substr(equals + 1))));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return list;
}

}  // namespace request_termination
