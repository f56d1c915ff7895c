#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.hpp"
#include "headers.hpp"
#include "template.hpp"

/// What the plugin does to the parts of a request, without the request. Threads: any.
namespace transformers {

/// A rule: a name, and where it has one a value.
struct Rule {
  std::string name;
  Template value;
};
using Rules = std::vector<Rule>;

/// The rules of one part, in the order in which they apply.
struct Changes {
  Rules remove, rename, replace, add, append;
  [[nodiscard]] bool empty() const {
    return remove.empty() && rename.empty() && replace.empty() && add.empty() && append.empty();
  }
};

/// "name:value" texts as rules. Throws TemplateError.
Rules make_rules(const std::vector<std::string>& pairs);

/// A check of a schema's texts: there is a value, and it is a template.
std::optional<std::string> check_value(std::string_view pair);
/// A check of a schema's texts: it is a template.
std::optional<std::string> check_template(std::string_view text);

enum class BodyKind { kOther, kJson, kForm, kMultipart };
BodyKind body_kind(std::string_view content_type);

// All throw RenderError.
void transform_headers(const Changes& changes, Environment& environment, Headers& headers);
void transform_query(const Changes& changes, Environment& environment, Arguments& query);
/// The new body; nothing where it stays as it is. Throws RenderError too where a body of JSON is neither an object nor
/// an array.
std::optional<std::string> transform_body(const Changes& changes, Environment& environment,
                                          std::string_view content_type, std::string_view body);

}  // namespace transformers
