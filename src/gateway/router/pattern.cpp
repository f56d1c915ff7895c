#define PCRE2_CODE_UNIT_WIDTH 8
#include "gateway/router/pattern.hpp"

#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <new>

namespace gibbon::gateway {
namespace {

constexpr std::uint32_t kMatchLimit = 10000;
/// A pattern of more groups gets no rest: scratch memory may have no room for it.
constexpr std::size_t kMaxGroupsBeforeRest = 16;

std::vector<std::string> group_names(const pcre2_code* code) {
  std::uint32_t groups = 0, names = 0, entry_size = 0;
  PCRE2_SPTR table = nullptr;
  pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
  pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &names);
  pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
  pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &table);
  std::vector<std::string> result(groups);
  for (std::uint32_t i = 0; i < names; ++i, table += entry_size) {
    const std::uint32_t group = static_cast<std::uint32_t>(table[0]) << 8 | table[1];
    result[group - 1] = reinterpret_cast<const char*>(table + 2);
  }
  return result;
}

/// The position after a character class that begins at `i`.
std::size_t skip_class(std::string_view pattern, std::size_t i) {
  ++i;
  if (i < pattern.size() && pattern[i] == '^') ++i;
  if (i < pattern.size() && pattern[i] == ']') ++i;
  while (i < pattern.size() && pattern[i] != ']') {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern.substr(i).starts_with("[:")) {
      const std::size_t end = pattern.find(":]", i + 2);
      if (end != std::string_view::npos) i = end + 1;
    }
    ++i;
  }
  return i + 1;
}

/// Whether a match may begin in another way than the pattern's text does. Errs on the side of yes.
bool has_alternatives(std::string_view pattern) {
  if (pattern.find('|') == std::string_view::npos) return false;
  // In quoted text, comments and the extended syntax, brackets need not be brackets.
  if (pattern.find("\\Q") != std::string_view::npos) return true;
  for (std::size_t at = pattern.find("(?"); at != std::string_view::npos; at = pattern.find("(?", at + 2)) {
    const std::string_view option = pattern.substr(at + 2, 1);
    if (option != ":" && option != "<" && option != "P" && option != "=" && option != "!") return true;
  }
  int depth = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    switch (pattern[i]) {
      case '\\': ++i; break;
      case '[': i = skip_class(pattern, i) - 1; break;
      case '(': ++depth; break;
      case ')': --depth; break;
      case '|': if (depth <= 0) return true;
    }
  }
  return false;
}

}  // namespace

PatternScratch::PatternScratch(std::uint32_t groups)
    : data_(pcre2_match_data_create(groups + 2, nullptr)), context_(pcre2_match_context_create(nullptr)) {
  if (data_ == nullptr || context_ == nullptr) {
    pcre2_match_data_free(data_);
    pcre2_match_context_free(context_);
    throw std::bad_alloc();
  }
  pcre2_set_match_limit(context_, kMatchLimit);
}

PatternScratch::~PatternScratch() {
  pcre2_match_data_free(data_);
  pcre2_match_context_free(context_);
}

void Pattern::Free::operator()(pcre2_real_code_8* code) const { pcre2_code_free(code); }

Result<Pattern> Pattern::compile(std::string_view text, Kind kind) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::uint32_t options = kind == Kind::kPath ? PCRE2_ANCHORED : PCRE2_CASELESS;
  Pattern pattern;
  const auto compiled = [&](std::string_view source) {
    return pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(), options, &error, &offset, nullptr);
  };
  pattern.code_.reset(compiled(text));
  if (!pattern.code_) {
    std::array<PCRE2_UCHAR, 256> message{};
    pcre2_get_error_message(error, message.data(), message.size());
    return Error{"invalid regex '" + std::string(text) + "': " + reinterpret_cast<const char*>(message.data()) +
                     " at offset " + std::to_string(offset),
                 ""};
  }
  pattern.names_ = group_names(pattern.code_.get());
  if (kind == Kind::kPath && has_alternatives(text) && pattern.names_.size() <= kMaxGroupsBeforeRest) {
    if (pcre2_code* with_rest = compiled(std::string(text) + "(.*)")) {
      pattern.code_.reset(with_rest);
      pattern.has_rest_ = true;
    }
  }
  // Where the machine allows no code to be made, the interpreter serves.
  pcre2_jit_compile(pattern.code_.get(), PCRE2_JIT_COMPLETE);
  return pattern;
}

std::uint32_t Pattern::match(std::string_view subject, const PatternScratch& scratch) const noexcept {
  const int found = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), 0, 0,
                                scratch.data_, scratch.context_);
  if (found < 0) return 0;
  // 0: there are more groups than the scratch memory has room for; those that fit are set.
  return found > 0 ? static_cast<std::uint32_t>(found) : pcre2_get_ovector_count(scratch.data_);
}

std::size_t Pattern::covered(const PatternScratch& scratch) const noexcept {
  if (!has_rest_) return group(scratch, 0)[1];
  if (pcre2_get_ovector_count(scratch.data_) < groups() + 2) return group(scratch, 0)[1];
  const std::size_t* rest = group(scratch, groups() + 1);
  return rest[0] == PCRE2_UNSET ? 0 : rest[0];
}

const std::size_t* Pattern::group(const PatternScratch& scratch, std::uint32_t index) noexcept {
  return pcre2_get_ovector_pointer(scratch.data_) + 2 * static_cast<std::size_t>(index);
}

std::vector<std::string> required_literals(std::string_view pattern) {
  std::vector<std::string> found;
  // In these, a character need not stand for itself.
  if (has_alternatives(pattern) || pattern.find("\\Q") != std::string_view::npos || pattern.starts_with("(*")) return found;
  for (std::size_t at = pattern.find("(?"); at != std::string_view::npos; at = pattern.find("(?", at + 2)) {
    if (at + 2 >= pattern.size() || std::string_view(":<P=!").find(pattern[at + 2]) == std::string_view::npos) return found;
  }
  std::string run;
  const auto end_run = [&] {
    if (!run.empty()) found.push_back(std::move(run));
    run.clear();
  };
  int depth = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '[') {
      end_run();
      i = skip_class(pattern, i) - 1;
    } else if (c == '(' || c == ')') {
      end_run();
      depth += c == '(' ? 1 : -1;
    } else if (c == '\\') {
      if (++i == pattern.size()) break;
      const bool literal = !std::isalnum(static_cast<unsigned char>(pattern[i]));
      if (!literal) end_run();
      if (literal && depth == 0) run += pattern[i];
    } else if (c == '?' || c == '*' || c == '{') {
      if (!run.empty()) run.pop_back();  // It may be missing.
      end_run();
      if (c == '{') i = std::min(pattern.find('}', i), pattern.size());
    } else if (c == '+' || c == '.' || c == '^' || c == '$') {
      end_run();
    } else if (depth == 0) {
      run += c;
    }
  }
  end_run();
  return found;
}

std::string literal_prefix(std::string_view pattern) {
  if (has_alternatives(pattern)) return {};
  if (pattern.starts_with('^')) pattern.remove_prefix(1);
  std::string prefix;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    if (c == '?' || c == '*' || c == '{') {
      // The byte before may be missing. (A brace may be just a brace: a shorter prefix does no harm.)
      if (!prefix.empty()) prefix.pop_back();
      return prefix;
    }
    if (std::string_view("+.[($)^").find(c) != std::string_view::npos) return prefix;
    if (c == '\\') {
      if (++i == pattern.size()) return prefix;
      c = pattern[i];
      // Before a letter or a digit a backslash means something else than that character.
      if (std::isalnum(static_cast<unsigned char>(c))) return prefix;
    }
    prefix += c;
  }
  return prefix;
}

}  // namespace gibbon::gateway
