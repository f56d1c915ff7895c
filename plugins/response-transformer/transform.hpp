#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../common/pair.hpp"

/// What the plugin does to an answer, without the answer. Threads: any.
namespace transformers {

using HeaderPairs = std::vector<std::pair<std::string, std::string>>;

/// Rules for headers, in the order in which they apply.
struct HeaderRules {
  std::vector<Pair> remove, rename, replace, add, append;
};

/// A step to be taken on the answer's headers.
struct HeaderStep {
  enum class Kind { kClear, kSet, kAdd } kind;
  std::string name, value{};
};

/// The steps for an answer with these headers. What is there is judged by the headers as they came, as Kong does it: a
/// header that was removed is not added again.
std::vector<HeaderStep> header_steps(const HeaderRules& rules, const HeaderPairs& headers);

/// Whether a Content-Type is application/json, or an application type that ends in +json.
bool is_json_type(std::string_view content_type);

/// A value to be set in a body: its text of JSON, nothing where it has none.
using JsonText = std::optional<std::string>;
/// By the type that the configuration names for it: "number", "boolean", or a text.
JsonText json_value(std::string_view value, std::string_view type);

struct JsonRule {
  std::string name;
  JsonText json;
};

/// Rules for JSON bodies, in the order in which they apply.
struct JsonRules {
  std::vector<Pair> remove, rename;
  std::vector<JsonRule> replace, add, append;
  [[nodiscard]] bool empty() const {
    return remove.empty() && rename.empty() && replace.empty() && add.empty() && append.empty();
  }
};

/// The rules of a list with the types that stand at the same places of the other.
std::vector<JsonRule> json_rules(const std::vector<std::string>& pairs, const std::vector<std::string>& types);

/// The new body; an array stays as it is. Nothing where the body is neither an object nor an array.
std::optional<std::string> transform_json(const JsonRules& rules, std::string_view body);

}  // namespace transformers
