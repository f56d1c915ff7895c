#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "expression.hpp"

namespace transformers {

/// A text with expressions in it: "Bearer $(headers.token or 'none')". What stands in `$(...)`, with balanced
/// parentheses, is an expression; nil and false give nothing. A text that shall hold `$(` itself is written as a
/// literal of an expression: "$('$(x)')". Copies share what was compiled. Threads: any.
class Template {
 public:
  Template() = default;
  /// Throws TemplateError.
  explicit Template(std::string_view text);
  /// Throws RenderError.
  [[nodiscard]] std::string render(Environment& environment) const;
  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] bool empty() const { return source_.empty(); }

 private:
  std::string source_;
  std::vector<std::variant<std::string, std::shared_ptr<const Expression>>> pieces_;
};

}  // namespace transformers
