#include "schema/lua_pattern.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

namespace gibbon::schema {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
constexpr int kMaxDepth = 200;

bool between(unsigned char c, unsigned char low, unsigned char high) { return c >= low && c <= high; }
bool is_upper(unsigned char c) { return between(c, 'A', 'Z'); }
bool is_lower(unsigned char c) { return between(c, 'a', 'z'); }
bool is_digit(unsigned char c) { return between(c, '0', '9'); }
bool is_graph(unsigned char c) { return between(c, 0x21, 0x7e); }

/// What `%letter` says of a byte; a letter that names no class stands for itself.
bool in_class(unsigned char c, char letter) {
  const bool negated = is_upper(static_cast<unsigned char>(letter));
  bool found = false;
  switch (negated ? letter - 'A' + 'a' : letter) {
    case 'a':
      found = is_upper(c) || is_lower(c);
      break;
    case 'c':
      found = c < 0x20 || c == 0x7f;
      break;
    case 'd':
      found = is_digit(c);
      break;
    case 'l':
      found = is_lower(c);
      break;
    case 'p':
      found = is_graph(c) && !is_upper(c) && !is_lower(c) && !is_digit(c);
      break;
    case 's':
      found = c == ' ' || between(c, '\t', '\r');
      break;
    case 'u':
      found = is_upper(c);
      break;
    case 'w':
      found = is_upper(c) || is_lower(c) || is_digit(c);
      break;
    case 'x':
      found = is_digit(c) || between(c, 'a', 'f') || between(c, 'A', 'F');
      break;
    case 'z':
      found = c == 0;
      break;
    default:
      return static_cast<unsigned char>(letter) == c;
  }
  return found != negated;
}

/// One attempt to match at one place. Positions are offsets; kNone is failure.
class Matcher {
 public:
  Matcher(std::string_view text, std::string_view pattern) : text_(text), pattern_(pattern) {}

  bool matches_at(std::size_t start, std::size_t pattern_start) {
    captures_ = 0;
    return match(start, pattern_start) != kNone;
  }

 private:
  struct Capture {
    std::size_t begin = 0, end = kNone;  ///< end: kNone while it is open.
  };

  std::size_t match(std::size_t at, std::size_t p) {
    if (++depth_ > kMaxDepth) {
      --depth_;
      return kNone;
    }
    const std::size_t end = match_items(at, p);
    --depth_;
    return end;
  }

  std::size_t match_items(std::size_t at, std::size_t p) {
    while (p < pattern_.size()) {
      const char c = pattern_[p];
      const char next = p + 1 < pattern_.size() ? pattern_[p + 1] : '\0';
      if (c == '(') return open_capture(at, p + 1);
      if (c == ')') return close_capture(at, p + 1);
      if (c == '$' && p + 1 == pattern_.size())
        return at == text_.size() && all_captures_closed() ? at : kNone;
      if (c == '%' && next == 'b') {
        if ((at = skip_balanced(at, p + 2)) == kNone) return kNone;
        p += 4;
        continue;
      }
      if (c == '%' && next == 'f') {
        const std::size_t item_end = end_of_item(p + 2);
        if (item_end == kNone || pattern_[p + 2] != '[' || !at_frontier(at, p + 2, item_end)) return kNone;
        p = item_end;
        continue;
      }
      if (c == '%' && is_digit(static_cast<unsigned char>(next))) {
        if ((at = skip_capture(at, next)) == kNone) return kNone;
        p += 2;
        continue;
      }
      const std::size_t item_end = end_of_item(p);
      if (item_end == kNone) return kNone;
      const char quantifier = item_end < pattern_.size() ? pattern_[item_end] : '\0';
      switch (quantifier) {
        case '?':
          if (matches_one(at, p, item_end)) {
            if (const std::size_t end = match(at + 1, item_end + 1); end != kNone) return end;
          }
          p = item_end + 1;
          continue;
        case '*':
          return match_most(at, p, item_end, 0);
        case '+':
          return match_most(at, p, item_end, 1);
        case '-':
          return match_least(at, p, item_end);
        default:
          if (!matches_one(at, p, item_end)) return kNone;
          ++at;
          p = item_end;
      }
    }
    return all_captures_closed() ? at : kNone;
  }

  [[nodiscard]] bool all_captures_closed() const {
    return std::all_of(capture_.begin(), capture_.begin() + captures_,
                       [](const Capture& c) { return c.end != kNone; });
  }

  /// Behind the single-byte item at `p`: a byte, an escape, or a set. kNone: malformed.
  [[nodiscard]] std::size_t end_of_item(std::size_t p) const {
    if (p >= pattern_.size()) return kNone;
    if (pattern_[p] == '%') return p + 1 < pattern_.size() ? p + 2 : kNone;
    if (pattern_[p] != '[') return p + 1;
    ++p;
    if (p < pattern_.size() && pattern_[p] == '^') ++p;
    bool first = true;  // A ']' that comes first is a member.
    while (p < pattern_.size() && (first || pattern_[p] != ']')) {
      p += pattern_[p] == '%' ? 2 : 1;
      first = false;
    }
    return p < pattern_.size() ? p + 1 : kNone;
  }

  [[nodiscard]] bool matches_one(std::size_t at, std::size_t p, std::size_t item_end) const {
    if (at >= text_.size()) return false;
    const auto c = static_cast<unsigned char>(text_[at]);
    switch (pattern_[p]) {
      case '.':
        return true;
      case '%':
        return in_class(c, pattern_[p + 1]);
      case '[':
        return in_set(c, p, item_end - 1);
      default:
        return static_cast<unsigned char>(pattern_[p]) == c;
    }
  }

  /// `open` and `close` are the places of '[' and ']'.
  [[nodiscard]] bool in_set(unsigned char c, std::size_t open, std::size_t close) const {
    std::size_t p = open + 1;
    const bool negated = p < close && pattern_[p] == '^';
    if (negated) ++p;
    for (; p < close; ++p) {
      if (pattern_[p] == '%' && p + 1 < close) {
        if (in_class(c, pattern_[++p])) return !negated;
      } else if (p + 2 < close && pattern_[p + 1] == '-') {
        if (between(c, static_cast<unsigned char>(pattern_[p]),
                    static_cast<unsigned char>(pattern_[p + 2]))) {
          return !negated;
        }
        p += 2;
      } else if (static_cast<unsigned char>(pattern_[p]) == c) {
        return !negated;
      }
    }
    return negated;
  }

  std::size_t match_most(std::size_t at, std::size_t p, std::size_t item_end, std::size_t least) {
    std::size_t count = 0;
    while (matches_one(at + count, p, item_end)) ++count;
    for (;; --count) {
      if (count < least) return kNone;
      if (const std::size_t end = match(at + count, item_end + 1); end != kNone) return end;
      if (count == 0) return kNone;
    }
  }

  std::size_t match_least(std::size_t at, std::size_t p, std::size_t item_end) {
    for (;; ++at) {
      if (const std::size_t end = match(at, item_end + 1); end != kNone) return end;
      if (!matches_one(at, p, item_end)) return kNone;
    }
  }

  [[nodiscard]] std::size_t skip_balanced(std::size_t at, std::size_t p) const {
    if (p + 1 >= pattern_.size() || at >= text_.size() || text_[at] != pattern_[p]) return kNone;
    const char open = pattern_[p], close = pattern_[p + 1];
    std::size_t nesting = 1;
    for (++at; at < text_.size(); ++at) {
      if (text_[at] == close) {
        if (--nesting == 0) return at + 1;
      } else if (text_[at] == open) {
        ++nesting;
      }
    }
    return kNone;
  }

  [[nodiscard]] bool at_frontier(std::size_t at, std::size_t p, std::size_t item_end) const {
    const auto before = static_cast<unsigned char>(at == 0 ? '\0' : text_[at - 1]);
    const auto here = static_cast<unsigned char>(at < text_.size() ? text_[at] : '\0');
    return !in_set(before, p, item_end - 1) && in_set(here, p, item_end - 1);
  }

  std::size_t open_capture(std::size_t at, std::size_t p) {
    if (captures_ == std::ssize(capture_)) return kNone;
    const bool position = p < pattern_.size() && pattern_[p] == ')';  // "()" captures a place, not a text.
    capture_[static_cast<std::size_t>(captures_++)] = {at, position ? at : kNone};
    const std::size_t end = match(at, position ? p + 1 : p);
    if (end == kNone) --captures_;
    return end;
  }

  std::size_t close_capture(std::size_t at, std::size_t p) {
    for (auto i = static_cast<std::size_t>(captures_); i-- > 0;) {
      if (capture_[i].end != kNone) continue;
      capture_[i].end = at;
      const std::size_t end = match(at, p);
      if (end == kNone) capture_[i].end = kNone;
      return end;
    }
    return kNone;
  }

  [[nodiscard]] std::size_t skip_capture(std::size_t at, char digit) const {
    const auto index = static_cast<std::size_t>(digit - '1');
    if (digit == '0' || std::cmp_greater_equal(index, captures_) || capture_[index].end == kNone)
      return kNone;
    const std::string_view seen =
        text_.substr(capture_[index].begin, capture_[index].end - capture_[index].begin);
    return text_.substr(at).starts_with(seen) ? at + seen.size() : kNone;
  }

  std::string_view text_, pattern_;
  std::array<Capture, 32> capture_{};
  std::ptrdiff_t captures_ = 0;
  int depth_ = 0;
};

}  // namespace

bool lua_match(std::string_view text, std::string_view pattern) {
  Matcher matcher(text, pattern);
  if (pattern.starts_with('^')) return matcher.matches_at(0, 1);
  for (std::size_t start = 0; start <= text.size(); ++start) {
    if (matcher.matches_at(start, 0)) return true;
  }
  return false;
}

}  // namespace gibbon::schema
