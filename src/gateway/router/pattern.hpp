#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;

namespace gibbon::gateway {

/// Scratch memory for matching, shared by all patterns of a router. Threads: one.
class PatternScratch {
 public:
  /// `groups`: how many groups a match can report, beside the whole and the rest that covered() needs.
  explicit PatternScratch(std::uint32_t groups);
  ~PatternScratch();
  PatternScratch(const PatternScratch&) = delete;
  PatternScratch& operator=(const PatternScratch&) = delete;

 private:
  friend class Pattern;
  pcre2_real_match_data_8* data_;
  pcre2_real_match_context_8* context_;
};

/// A compiled regular expression. A match that takes too many steps counts as none, as in Kong.
class Pattern {
 public:
  enum class Kind { kPath /*anchored at the start*/, kHeader /*anywhere, whatever the case*/ };
  /// Errors: no regular expression; the message says where.
  static Result<Pattern> compile(std::string_view text, Kind kind);

  /// The number of groups found plus one (the whole); 0: no match. Allocates nothing.
  std::uint32_t match(std::string_view subject, const PatternScratch& scratch) const noexcept;
  /// How much of the subject the last match covers, for strip_path. As in Kong, which appends a group for the rest to
  /// the pattern: of alternatives at its top, the last one alone has a rest, and a match of another one covers nothing.
  [[nodiscard]] std::size_t covered(const PatternScratch& scratch) const noexcept;
  /// Begin and end of group `index` in the subject of the last match; SIZE_MAX where it took no part.
  static const std::size_t* group(const PatternScratch& scratch, std::uint32_t index) noexcept;

  [[nodiscard]] std::uint32_t groups() const { return static_cast<std::uint32_t>(names_.size()); }
  [[nodiscard]] const std::string& name(std::uint32_t group) const { return names_[group]; }

 private:
  struct Free { void operator()(pcre2_real_code_8* code) const; };
  std::unique_ptr<pcre2_real_code_8, Free> code_;
  std::vector<std::string> names_;  ///< Of group 1 and on; empty where it has none.
  bool has_rest_ = false;           ///< One group more follows: the rest of the subject.
};

/// The text with which every match of the anchored `pattern` begins; as much of it as is plain to see, often all up to
/// the first group.
std::string literal_prefix(std::string_view pattern);

/// Texts that every match of the pattern holds; none where that is not plain to see.
std::vector<std::string> required_literals(std::string_view pattern);

}  // namespace gibbon::gateway
