#include "expression.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "../common/number.hpp"

namespace transformers {
namespace {

std::string number_text(double number) {
  char text[40];
  std::snprintf(text, sizeof text, "%.14g", number);
  return text;
}

Value string_member(std::string_view name) {
  if (name == "lower") return {Function::kLower};
  if (name == "upper") return {Function::kUpper};
  if (name == "len") return {Function::kLen};
  if (name == "sub") return {Function::kSub};
  return {};
}

/// A text or a number, as functions of texts take them.
std::string text_argument(const std::vector<Value>& arguments, const char* function) {
  const Value& value = arguments.front();
  if (std::holds_alternative<std::string>(value.is) || std::holds_alternative<double>(value.is)) return value.text();
  throw RenderError(std::string("bad argument #1 to '") + function + "' (string expected, got " + value.type() + ")");
}

double number_argument(const Value& value, std::size_t number, const char* function) {
  if (const double* given = std::get_if<double>(&value.is)) return *given;
  if (const std::string* text = std::get_if<std::string>(&value.is))
    if (const std::optional<double> read = to_number(*text)) return *read;
  throw RenderError("bad argument #" + std::to_string(number) + " to '" + function + "' (number expected, got " +
                    value.type() + ")");
}

std::string mapped(std::string text, char first, char last, int shift) {
  for (char& c : text)
    if (c >= first && c <= last) c = static_cast<char>(c + shift);
  return text;
}

Value substring(const std::vector<Value>& arguments) {
  const std::string text = text_argument(arguments, "sub");
  const double size = static_cast<double>(text.size());
  double from = std::trunc(number_argument(arguments[1], 2, "sub"));
  double to = arguments.size() > 2 ? std::trunc(number_argument(arguments[2], 3, "sub")) : -1;
  if (from < 0) from = std::max(size + from + 1, 1.0);
  if (to < 0) to = size + to + 1;
  from = std::max(from, 1.0);
  to = std::min(to, size);
  if (!(from <= to)) return {std::string()};
  return {text.substr(static_cast<std::size_t>(from) - 1, static_cast<std::size_t>(to - from) + 1)};
}

Value call(Function function, const std::vector<Value>& arguments) {
  switch (function) {
    case Function::kToString: return {arguments.front().text()};
    case Function::kType: return {std::string(arguments.front().type())};
    case Function::kLower: return {mapped(text_argument(arguments, "lower"), 'A', 'Z', 'a' - 'A')};
    case Function::kUpper: return {mapped(text_argument(arguments, "upper"), 'a', 'z', 'A' - 'a')};
    case Function::kLen: return {static_cast<double>(text_argument(arguments, "len").size())};
    case Function::kSub: return substring(arguments);
    case Function::kToNumber: break;
  }
  const Value& value = arguments.front();
  if (std::holds_alternative<double>(value.is)) return value;
  if (const std::string* text = std::get_if<std::string>(&value.is))
    if (const std::optional<double> number = to_number(*text)) return {*number};
  return {};
}

bool equal(const Value& a, const Value& b) {
  if (a.is.index() != b.is.index()) return false;
  if (std::holds_alternative<std::monostate>(a.is) || std::holds_alternative<StringLibrary>(a.is)) return true;
  return std::visit(
      [&b](const auto& left) {
        using T = std::decay_t<decltype(left)>;
        if constexpr (std::is_same_v<T, std::monostate> || std::is_same_v<T, StringLibrary>) return true;
        else return left == std::get<T>(b.is);
      },
      a.is);
}

Value element(const std::vector<Value>& list, const Value& key) {
  const double* number = std::get_if<double>(&key.is);
  if (number == nullptr || *number != std::trunc(*number) || !(*number >= 1) ||
      *number > static_cast<double>(list.size()))
    return {};
  return list[static_cast<std::size_t>(*number) - 1];
}

std::string concatenable(const Value& value) {
  if (std::holds_alternative<std::string>(value.is) || std::holds_alternative<double>(value.is)) return value.text();
  throw RenderError(std::string("attempt to concatenate a ") + value.type() + " value");
}

struct Literal final : Expression {
  Value value(Environment&) const override { return literal; }
  Value literal;
};

struct Or final : Expression {
  Or(Node l, Node r) : left(std::move(l)), right(std::move(r)) {}
  Value value(Environment& e) const override {
    Value first = left->value(e);
    return first.truthy() ? first : right->value(e);
  }
  Node left, right;
};

struct And final : Expression {
  And(Node l, Node r) : left(std::move(l)), right(std::move(r)) {}
  Value value(Environment& e) const override {
    Value first = left->value(e);
    return first.truthy() ? right->value(e) : first;
  }
  Node left, right;
};

struct Not final : Expression {
  explicit Not(Node o) : operand(std::move(o)) {}
  Value value(Environment& e) const override { return {!operand->value(e).truthy()}; }
  Node operand;
};

struct Equal final : Expression {
  Equal(Node l, Node r) : left(std::move(l)), right(std::move(r)) {}
  Value value(Environment& e) const override {
    const Value first = left->value(e);
    return {equal(first, right->value(e))};
  }
  Node left, right;
};

struct Concat final : Expression {
  Concat(Node l, Node r) : left(std::move(l)), right(std::move(r)) {}
  Value value(Environment& e) const override {
    const Value first = left->value(e), second = right->value(e);
    std::string text = concatenable(first);
    return {text.append(concatenable(second))};
  }
  Node left, right;
};

struct Index final : Expression {
  Index(Node t, Node k) : table(std::move(t)), key(std::move(k)) {}
  Value value(Environment& e) const override {
    const Value from = table->value(e), at = key->value(e);
    if (const Root* root = std::get_if<Root>(&from.is)) return look_up(e, *root, at);
    if (const List* list = std::get_if<List>(&from.is)) return element(**list, at);
    const bool texts = std::holds_alternative<std::string>(from.is) || std::holds_alternative<StringLibrary>(from.is);
    if (!texts) throw RenderError(std::string("attempt to index a ") + from.type() + " value");
    const std::string* name = std::get_if<std::string>(&at.is);
    return name != nullptr ? string_member(*name) : Value{};
  }
  static Value look_up(Environment& e, Root root, const Value& at) {
    if (const std::string* name = std::get_if<std::string>(&at.is)) return e.find(root, *name);
    const double* number = std::get_if<double>(&at.is);
    return number != nullptr && root == Root::kCaptures ? e.find(root, at.text()) : Value{};
  }
  Node table, key;
};

struct Call final : Expression {
  Call(Function f, std::vector<Node> a) : function(f), arguments(std::move(a)) {}
  Value value(Environment& e) const override {
    std::vector<Value> values;
    for (const Node& argument : arguments) values.push_back(argument->value(e));
    return call(function, values);
  }
  Function function;
  std::vector<Node> arguments;
};

}  // namespace

std::string Value::text() const {
  if (const std::string* text = std::get_if<std::string>(&is)) return *text;
  if (const double* number = std::get_if<double>(&is)) return number_text(*number);
  if (const bool* flag = std::get_if<bool>(&is)) return *flag ? "true" : "false";
  return type();
}

const char* Value::type() const {
  constexpr const char* kTypes[] = {"nil", "boolean", "number", "string", "table", "table", "table", "function"};
  return kTypes[is.index()];
}

Node make_literal(Value value) {
  auto node = std::make_unique<Literal>();
  node->literal = std::move(value);
  return node;
}
Node make_or(Node left, Node right) { return std::make_unique<Or>(std::move(left), std::move(right)); }
Node make_and(Node left, Node right) { return std::make_unique<And>(std::move(left), std::move(right)); }
Node make_not(Node operand) { return std::make_unique<Not>(std::move(operand)); }
Node make_equal(Node left, Node right) { return std::make_unique<Equal>(std::move(left), std::move(right)); }
Node make_concat(Node left, Node right) { return std::make_unique<Concat>(std::move(left), std::move(right)); }
Node make_index(Node table, Node key) { return std::make_unique<Index>(std::move(table), std::move(key)); }
Node make_call(Function function, std::vector<Node> arguments) {
  return std::make_unique<Call>(function, std::move(arguments));
}

}  // namespace transformers
