#include "template.hpp"

#include <utility>

namespace transformers {
namespace {

/// Where the parenthesis that opens at `at` is closed; npos where it is not.
std::size_t closing(std::string_view text, std::size_t at) {
  for (int depth = 0; at < text.size(); ++at) {
    if (text[at] == '(') ++depth;
    if (text[at] == ')' && --depth == 0) return at;
  }
  return text.npos;
}

}  // namespace

Template::Template(std::string_view text) : source_(text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool opens = text.substr(at, 2) == "$(";
    const std::size_t end = opens ? closing(text, at + 1) : text.npos;
    if (end == text.npos) {
      plain += text[at];
      continue;
    }
    if (!plain.empty()) pieces_.emplace_back(std::exchange(plain, {}));
    pieces_.emplace_back(std::shared_ptr<const Expression>(parse_expression(text, at + 2, end)));
    at = end;
  }
  if (!plain.empty()) pieces_.emplace_back(std::move(plain));
}

std::string Template::render(Environment& environment) const {
  std::string out;
  for (const auto& piece : pieces_) {
    if (const std::string* plain = std::get_if<std::string>(&piece)) {
      out += *plain;
    } else if (const Value value = std::get<1>(piece)->value(environment); value.truthy()) {
      out += value.text();
    }
  }
  return out;
}

}  // namespace transformers
