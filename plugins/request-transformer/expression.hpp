#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The expressions of templates: a small part of Lua, with Lua's meaning. Threads: any.
///
///     headers.x   headers["x-y"]   query_params.q[1]   uri_captures[1]   shared.x
///     "text"  'text'  12.5  true  false  nil    or  and  not  ==  ~=  ..  ( )
///     tostring  tonumber  type  string.lower  string.upper  string.len  string.sub    x:lower()
namespace transformers {

/// A template that is wrong: the place, counted in characters from 1 on, and what is wrong there.
class TemplateError : public std::runtime_error {
 public:
  TemplateError(std::size_t place, const std::string& what)
      : std::runtime_error("character " + std::to_string(place) + ": " + what) {}
};

/// An expression that cannot be worked out for a request. The message is Lua's.
class RenderError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What an expression may look into.
enum class Root { kHeaders, kQuery, kCaptures, kShared };

enum class Function { kToString, kToNumber, kType, kLower, kUpper, kLen, kSub };

struct Value;
using List = std::shared_ptr<const std::vector<Value>>;
struct StringLibrary {};

/// A value of Lua: nil, a boolean, a number, a text; a table or a function.
struct Value {
  std::variant<std::monostate, bool, double, std::string, List, Root, StringLibrary, Function> is;
  [[nodiscard]] bool truthy() const {
    const bool* flag = std::get_if<bool>(&is);
    return flag != nullptr ? *flag : !std::holds_alternative<std::monostate>(is);
  }
  /// As tostring() writes it; tables and functions without their addresses.
  [[nodiscard]] std::string text() const;
  /// "nil", "boolean", "number", "string", "table", "function".
  [[nodiscard]] const char* type() const;
};

/// Where expressions get a request's values from.
class Environment {
 public:
  /// Nil where there is none of that name. A number that was an index comes as its digits.
  [[nodiscard]] virtual Value find(Root root, std::string_view name) = 0;

 protected:
  ~Environment() = default;
};

class Expression {
 public:
  virtual ~Expression() = default;
  /// Throws RenderError.
  [[nodiscard]] virtual Value value(Environment& environment) const = 0;
};

/// Reads the expression at text[begin, end). Throws TemplateError, whose places count from the text's beginning.
std::unique_ptr<const Expression> parse_expression(std::string_view text, std::size_t begin, std::size_t end);

// What the parser puts together.
using Node = std::unique_ptr<const Expression>;
Node make_literal(Value value);
Node make_or(Node left, Node right);
Node make_and(Node left, Node right);
Node make_not(Node operand);
Node make_equal(Node left, Node right);
Node make_concat(Node left, Node right);
Node make_index(Node table, Node key);
Node make_call(Function function, std::vector<Node> arguments);

}  // namespace transformers
