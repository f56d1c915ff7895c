#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What both transformers write their rules in: "name:value".
namespace transformers {

struct Pair {
  std::string name;
  std::string value;  ///< Empty: there is none.
};

/// Parts a text at its first colons: "a:b:c" is a and b:c, "a::b" is a and b. Nothing where no name stands before them.
inline std::optional<Pair> split_pair(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (text.empty() || colon == 0) return std::nullopt;
  if (colon == std::string_view::npos) return Pair{std::string(text), {}};
  const std::size_t value = text.find_first_not_of(':', colon);
  return Pair{std::string(text.substr(0, colon)),
              value == std::string_view::npos ? std::string() : std::string(text.substr(value))};
}

/// The rules of a list; what has no name is left out.
inline std::vector<Pair> split_pairs(const std::vector<std::string>& texts) {
  std::vector<Pair> pairs;
  for (const std::string& text : texts)
    if (std::optional<Pair> pair = split_pair(text)) pairs.push_back(std::move(*pair));
  return pairs;
}

inline bool is_header_name(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == name.npos;
}

/// Checks of a schema's texts: the name, or both parts, are names of headers.
inline std::optional<std::string> check_header(std::string_view text) {
  const std::optional<Pair> pair = split_pair(text);
  const std::string name = pair ? pair->name : std::string();
  if (!is_header_name(name)) return "'" + name + "' is not a valid header";
  return std::nullopt;
}
inline std::optional<std::string> check_header_names(std::string_view text) {
  if (std::optional<std::string> wrong = check_header(text)) return wrong;
  const std::string value = split_pair(text)->value;
  if (!is_header_name(value)) return "'" + value + "' is not a valid header";
  return std::nullopt;
}

}  // namespace transformers
