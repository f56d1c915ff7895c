#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gibbon::gateway {

/// Calls `use(words)` for each line of `text` that holds any words; a byte of `comment` ends a line.
template <typename Use>
void each_line(std::string_view text, std::string_view comment, Use&& use) {
  constexpr std::string_view kBlanks = " \t\r\f\v";
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    line = line.substr(0, line.find_first_of(comment));
    std::vector<std::string_view> words;
    for (std::size_t at = line.find_first_not_of(kBlanks); at != std::string_view::npos;) {
      const std::size_t stop = std::min(line.find_first_of(kBlanks, at), line.size());
      words.push_back(line.substr(at, stop - at));
      at = line.find_first_not_of(kBlanks, stop);
    }
    if (!words.empty()) use(words);
  }
}

/// The whole of a file; nothing where it cannot be read.
std::optional<std::string> read_file(const std::string& path);

}  // namespace gibbon::gateway
