#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "regex.hpp"

/// Which origins a configuration allows, by Kong's rules. Threads: one at a time.
namespace cors {

/// An origin without the port that its scheme implies: "https://a.test:443" is "https://a.test".
struct Origin {
  std::string domain;  ///< Scheme, host and port; the text itself where it has no "//".
  std::string host;    ///< The host alone; the text itself likewise.
};
Origin normalized(std::string_view text);

/// Whether an entry of the configuration is no plain origin: it has a character other than letters, digits and ".:/-".
bool is_pattern(std::string_view entry);

class Origins {
 public:
  /// Throws std::invalid_argument where a pattern is none.
  explicit Origins(const std::vector<std::string>& entries);

  /// None, or "*" alone: the origin of a request makes no difference.
  [[nodiscard]] bool any() const { return any_; }

  struct Verdict {
    std::string allowed{};  ///< What Access-Control-Allow-Origin says; empty: there is none.
    bool everyone = false;  ///< It is "*".
  };
  /// Of a request's Origin header; empty where it has none.
  [[nodiscard]] Verdict judge(std::string_view origin) const;

 private:
  struct Entry {
    Origin plain{};
    std::unique_ptr<Regex> regex{};  ///< Null: `plain` counts.
    bool by_host = false;            ///< The regex has no ':', and is for hosts.
  };
  static Entry entry_of(std::string_view text);

  bool any_ = false;
  bool everyone_ = false;  ///< "*" is one of several.
  std::string single_;     ///< A plain origin that stands alone: it is named whoever asks.
  std::vector<Entry> entries_;
};

}  // namespace cors
