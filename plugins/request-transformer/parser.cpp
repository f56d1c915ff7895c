#include <array>
#include <charconv>
#include <optional>

#include "expression.hpp"

namespace transformers {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Token {
  enum class Kind { kEnd, kName, kNumber, kString, kSymbol } kind = Kind::kEnd;
  std::size_t begin = 0;
  std::string text{};  ///< kString: without quotes and escapes.
  double number = 0;
};

/// Reads tokens of text[begin, end).
class Scanner {
 public:
  Scanner(std::string_view text, std::size_t begin, std::size_t end) : text_(text.substr(0, end)), at_(begin) {}

  Token next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r'))) ++at_;
    Token token{.begin = at_};
    if (at_ == text_.size()) return token;
    const char c = text_[at_];
    if (is_letter(c)) return name(token);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number(token);
    if (c == '"' || c == '\'') return string(token);
    return symbol(token);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  Token name(Token token) {
    token.kind = Token::Kind::kName;
    while (is_letter(peek(0)) || is_digit(peek(0))) token.text += text_[at_++];
    return token;
  }

  Token number(Token token) {
    token.kind = Token::Kind::kNumber;
    const auto [end, wrong] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), token.number);
    at_ = static_cast<std::size_t>(end - text_.data());
    if (wrong != std::errc() || is_letter(peek(0)) || is_digit(peek(0)))
      throw TemplateError(token.begin + 1, "malformed number");
    token.text = text_.substr(token.begin, at_ - token.begin);
    return token;
  }

  Token string(Token token) {
    token.kind = Token::Kind::kString;
    const char quote = text_[at_++];
    for (;;) {
      if (at_ == text_.size() || text_[at_] == '\n') throw TemplateError(token.begin + 1, "unfinished string");
      const char c = text_[at_++];
      if (c == quote) return token;
      token.text += c == '\\' ? escape() : c;
    }
  }

  char escape() {
    constexpr std::string_view kNames = "abfnrtv\\\"'", kMeanings = "\a\b\f\n\r\t\v\\\"'";
    const std::size_t known = kNames.find(peek(0));
    if (at_ < text_.size() && known != kNames.npos) return ++at_, kMeanings[known];
    int code = 0, digits = 0;
    for (; digits < 3 && is_digit(peek(0)); ++digits) code = code * 10 + (text_[at_++] - '0');
    if (digits == 0 || code > 255) throw TemplateError(at_, "invalid escape sequence");
    return static_cast<char>(code);
  }

  Token symbol(Token token) {
    token.kind = Token::Kind::kSymbol;
    const std::string_view two = text_.substr(at_, 2);
    token.text = two == ".." || two == "==" || two == "~=" ? two : text_.substr(at_, 1);
    at_ += token.text.size();
    return token;
  }

  std::string_view text_;
  std::size_t at_;
};

struct Builtin {
  std::string_view name;
  Function function;
  std::size_t least, most;  ///< Arguments.
};
constexpr std::array<Builtin, 3> kGlobals = {{{"tostring", Function::kToString, 1, 1},
                                              {"tonumber", Function::kToNumber, 1, 1},
                                              {"type", Function::kType, 1, 1}}};
constexpr std::array<Builtin, 4> kOfStrings = {{{"lower", Function::kLower, 1, 1},
                                                {"upper", Function::kUpper, 1, 1},
                                                {"len", Function::kLen, 1, 1},
                                                {"sub", Function::kSub, 2, 3}}};

template <std::size_t N>
const Builtin* find(const std::array<Builtin, N>& all, std::string_view name) {
  for (const Builtin& builtin : all)
    if (builtin.name == name) return &builtin;
  return nullptr;
}

std::optional<Root> find_root(std::string_view name) {
  if (name == "headers") return Root::kHeaders;
  if (name == "query_params") return Root::kQuery;
  if (name == "uri_captures") return Root::kCaptures;
  if (name == "shared") return Root::kShared;
  return std::nullopt;
}

/// By descent, in the order in which Lua's operators bind: or, and, == ~=, .. (to the right), not.
class Parser {
 public:
  Parser(std::string_view text, std::size_t begin, std::size_t end) : scanner_(text, begin, end) { advance(); }

  Node all() {
    Node node = disjunction();
    if (now_.kind != Token::Kind::kEnd) refuse("unexpected " + shown());
    return node;
  }

 private:
  static constexpr int kMaxDepth = 100;
  struct Depth {
    explicit Depth(Parser& p) : parser(p) {
      if (++parser.depth_ > kMaxDepth) parser.refuse("too many levels");
    }
    ~Depth() { --parser.depth_; }
    Parser& parser;
  };

  void advance() { now_ = scanner_.next(); }
  [[noreturn]] void refuse(const std::string& what) const { throw TemplateError(now_.begin + 1, what); }
  [[nodiscard]] std::string shown() const {
    return now_.kind == Token::Kind::kEnd ? "end of the expression" : "'" + now_.text + "'";
  }
  [[nodiscard]] bool is(Token::Kind kind, std::string_view text) const {
    return now_.kind == kind && now_.text == text;
  }
  bool took(Token::Kind kind, std::string_view text) {
    if (!is(kind, text)) return false;
    advance();
    return true;
  }
  bool took_word(std::string_view word) { return took(Token::Kind::kName, word); }
  bool took_symbol(std::string_view symbol) { return took(Token::Kind::kSymbol, symbol); }
  void expect(std::string_view symbol) {
    if (!took_symbol(symbol)) refuse("'" + std::string(symbol) + "' expected instead of " + shown());
  }

  Node disjunction() {
    const Depth depth(*this);
    Node left = conjunction();
    for (int n = 0; took_word("or"); ++n) {
      if (n == kMaxDepth) refuse("too many levels");
      left = make_or(std::move(left), conjunction());
    }
    return left;
  }

  Node conjunction() {
    Node left = comparison();
    for (int n = 0; took_word("and"); ++n) {
      if (n == kMaxDepth) refuse("too many levels");
      left = make_and(std::move(left), comparison());
    }
    return left;
  }

  Node comparison() {
    Node left = concatenation();
    for (int n = 0;; ++n) {
      if (n == kMaxDepth) refuse("too many levels");
      if (took_symbol("==")) left = make_equal(std::move(left), concatenation());
      else if (took_symbol("~=")) left = make_not(make_equal(std::move(left), concatenation()));
      else return left;
    }
  }

  Node concatenation() {
    const Depth depth(*this);
    Node left = negation();
    if (!took_symbol("..")) return left;
    return make_concat(std::move(left), concatenation());
  }

  Node negation() {
    const Depth depth(*this);
    if (took_word("not")) return make_not(negation());
    if (took_symbol("-")) {
      if (now_.kind != Token::Kind::kNumber) refuse("only numbers can be negative, not " + shown());
      now_.number = -now_.number;
    }
    return suffixed();
  }

  Node suffixed() {
    bool may_index = true;
    Node node = primary(may_index);
    for (int n = 0; may_index; ++n) {
      if (n == kMaxDepth) refuse("too many levels");
      if (took_symbol(".")) node = make_index(std::move(node), make_literal({member_name()}));
      else if (took_symbol("[")) node = bracketed(std::move(node));
      else if (took_symbol(":")) node = method(std::move(node));
      else break;
    }
    if (is(Token::Kind::kSymbol, "(")) refuse("only tostring, tonumber, type and functions of string can be called");
    return node;
  }

  Node bracketed(Node table) {
    Node node = make_index(std::move(table), disjunction());
    expect("]");
    return node;
  }

  std::string member_name() {
    if (now_.kind != Token::Kind::kName) refuse("name expected instead of " + shown());
    std::string name = now_.text;
    advance();
    return name;
  }

  Node method(Node self) {
    const Builtin* builtin = find(kOfStrings, now_.text);
    if (now_.kind != Token::Kind::kName || builtin == nullptr) refuse("no method is called " + shown());
    advance();
    std::vector<Node> arguments;
    arguments.push_back(std::move(self));
    return call(*builtin, std::move(arguments));
  }

  Node call(const Builtin& builtin, std::vector<Node> arguments) {
    expect("(");
    while (!is(Token::Kind::kSymbol, ")")) {
      if (arguments.size() == builtin.most) refuse("too many arguments for '" + std::string(builtin.name) + "'");
      arguments.push_back(disjunction());
      if (!took_symbol(",")) break;
      if (is(Token::Kind::kSymbol, ")")) refuse("unexpected ')'");
    }
    if (arguments.size() < builtin.least) refuse("too few arguments for '" + std::string(builtin.name) + "'");
    expect(")");
    return make_call(builtin.function, std::move(arguments));
  }

  /// `may_index`: whether members, methods and indices may follow.
  Node primary(bool& may_index) {
    if (took_symbol("(")) {
      Node node = disjunction();
      expect(")");
      return node;
    }
    if (now_.kind == Token::Kind::kName) return name(may_index);
    may_index = false;
    Node node;
    if (now_.kind == Token::Kind::kNumber) node = make_literal({now_.number});
    else if (now_.kind == Token::Kind::kString) node = make_literal({now_.text});
    else refuse("unexpected " + shown());
    advance();
    return node;
  }

  Node name(bool& may_index) {
    may_index = false;
    if (took_word("nil")) return make_literal({});
    if (took_word("true")) return make_literal({true});
    if (took_word("false")) return make_literal({false});
    may_index = true;
    if (const std::optional<Root> root = find_root(now_.text)) return advance(), make_literal({*root});
    const Builtin* builtin = find(kGlobals, now_.text);
    if (builtin == nullptr && now_.text != "string") refuse("'" + now_.text + "' is not known here");
    advance();
    if (builtin == nullptr) {
      if (!took_symbol(".")) refuse("'.' expected instead of " + shown());
      builtin = find(kOfStrings, now_.text);
      if (builtin == nullptr) refuse("string has no function " + shown() + " here");
      advance();
    }
    return call(*builtin, {});
  }

  Scanner scanner_;
  Token now_;
  int depth_ = 0;
};

}  // namespace

std::unique_ptr<const Expression> parse_expression(std::string_view text, std::size_t begin, std::size_t end) {
  return Parser(text, begin, end).all();
}

}  // namespace transformers
