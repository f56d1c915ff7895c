#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cors {

/// A regular expression that must match from a text's first character on. Threads: one at a time.
class Regex {
 public:
  /// Throws std::invalid_argument.
  explicit Regex(std::string_view pattern) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_ANCHORED, &error,
                              &offset, nullptr));
    if (code_ == nullptr) throw std::invalid_argument("'" + std::string(pattern) + "' is not a valid regex");
    data_.reset(pcre2_match_data_create_from_pattern(code_.get(), nullptr));
    if (data_ == nullptr) throw std::bad_alloc();
  }

  /// False as well where the search is given up.
  [[nodiscard]] bool matches(std::string_view text) const {
    return pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, data_.get(),
                       nullptr) >= 0;
  }

 private:
  struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  };
  std::unique_ptr<pcre2_code, Free> code_;
  std::unique_ptr<pcre2_match_data, Free> data_;
};

}  // namespace cors
