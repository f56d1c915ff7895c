#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace transformers {

/// The arguments of a query or of a urlencoded form, by their names in the order in which these first come.
/// Threads: any.
class Arguments {
 public:
  /// What stands under a name: texts, and nothing for "a" (which "a=" is not).
  using Values = std::vector<std::optional<std::string>>;
  struct Argument {
    std::string name;
    Values values;
  };

  Arguments() = default;
  /// "a=1&b=x%20y"; arguments without a name are left out.
  explicit Arguments(std::string_view encoded);

  /// Null where there is none. Valid until the next change.
  [[nodiscard]] const Values* find(std::string_view name) const;
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  /// False where there is none called `from`, or the names are the same. Another one called `to` goes.
  bool rename(std::string_view from, std::string_view to);
  /// A name without a value gets this one.
  void append(std::string_view name, std::string value);
  /// All of the others' values beside those that are there.
  void merge(const Arguments& others);
  [[nodiscard]] bool empty() const { return all_.empty(); }

  [[nodiscard]] std::string encoded() const;
  /// With the names in the order of the alphabet, as Kong sends queries.
  [[nodiscard]] std::string sorted() const;

 private:
  Argument* argument(std::string_view name);
  std::vector<Argument> all_;
};

}  // namespace transformers
