#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// JSON bodies as the transformers change them: members come and go, and what is not touched keeps its text, so that
/// no number is rounded and no order is lost. Threads: any.
namespace transformers {

enum class JsonKind { kObject, kArray, kOther };

/// What kind of value a text holds; nothing where it is not JSON. At most 1000 levels deep.
std::optional<JsonKind> json_kind(std::string_view text);

/// Whether it is a number as JSON writes them.
bool is_json_number(std::string_view text);

/// A text as a JSON string.
std::string json_string(std::string_view text);

/// An object's members, in their order. Values are texts of JSON.
class JsonObject {
 public:
  JsonObject() = default;
  /// `text` must be an object: see json_kind(). Of members with one name the last counts.
  explicit JsonObject(std::string_view text);

  /// Null where there is none. Valid until the next change.
  [[nodiscard]] const std::string* find(std::string_view name) const;
  /// Kong's sense of what is there: a member that is `false` is not.
  [[nodiscard]] bool holds(std::string_view name) const;
  /// Replaces a member where it stands, or puts a new one at the end.
  void set(std::string_view name, std::string json);
  void remove(std::string_view name);
  /// The member keeps its place; another one called `to` goes.
  void rename(std::string_view from, std::string_view to);
  /// As Kong appends: to an array; a text becomes an array with both; all else becomes an array with the new value. An
  /// object gets it under the first free number.
  void append(std::string_view name, const std::string& json);

  [[nodiscard]] std::string text() const;

 private:
  struct Member {
    std::string name, json;
  };
  std::vector<Member> members_;
};

}  // namespace transformers
