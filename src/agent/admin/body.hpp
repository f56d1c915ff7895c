#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.hpp"
#include "gibbon/schema.hpp"
#include "http/message.hpp"

namespace gibbon::agent {

/// The body of a request that changes something, in whichever form it came.
struct Body {
  using Form = std::vector<std::pair<std::string, std::string>>;
  std::variant<json::object, Form> content;
  std::string
      text;  ///< For bodies that are configuration themselves (text/yaml, application/json): the bytes.

  /// The input as an object: JSON as it is; a form's dotted names and text converted as `schema` says.
  [[nodiscard]] json::object input(const Schema& schema) const;
  /// One field of either form, where it is text.
  [[nodiscard]] std::optional<std::string> field(std::string_view name) const;
};

/// Reads JSON, urlencoded and multipart bodies; no body gives an empty object. `allow_yaml`: /config takes
/// YAML too. The second alternative is the answer to a body that cannot be used.
enum class YamlBody { kRefused, kAllowed };
std::variant<Body, http::Response> read_body(const http::Request& request,
                                             YamlBody yaml = YamlBody::kRefused);

}  // namespace gibbon::agent
