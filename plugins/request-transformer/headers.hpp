#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace transformers {

/// A request's headers while they are changed; what was not touched stays as it is. Names are the same in any case, and
/// '_' is '-'. Host is not among them: it can be set, not removed, renamed or appended to. Threads: any.
class Headers {
 public:
  struct Header {
    std::string name;
    std::vector<std::string> values;
    bool changed = false;
  };

  /// A header as it came.
  void load(std::string_view name, std::string_view value);

  [[nodiscard]] const Header* find(std::string_view name) const { return const_cast<Headers*>(this)->header(name); }
  void remove(std::string_view name);
  void rename(std::string_view from, std::string_view to);
  /// Only where there is one, or where it is Host.
  void replace(std::string_view name, std::string_view value);
  /// Only where there is none.
  void add(std::string_view name, std::string_view value);
  void append(std::string_view name, std::string_view value);

  /// The names that are gone, and the headers as they are now.
  [[nodiscard]] const std::vector<std::string>& removed() const { return removed_; }
  [[nodiscard]] const std::vector<Header>& all() const { return all_; }

 private:
  Header* header(std::string_view name);
  void set(std::string_view name, std::vector<std::string> values);
  std::vector<Header> all_;
  std::vector<std::string> removed_;
};

}  // namespace transformers
