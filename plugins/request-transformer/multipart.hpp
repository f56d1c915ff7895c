#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace transformers {

/// The boundary that a Content-Type names; empty where it names none.
std::string multipart_boundary(std::string_view content_type);

/// A multipart/form-data body. A part that is not touched keeps its headers and its bytes. Of several parts with one
/// name the last alone can be changed. Threads: any.
class Multipart {
 public:
  Multipart(std::string_view body, std::string boundary);

  [[nodiscard]] bool holds(std::string_view name) const { return const_cast<Multipart*>(this)->part(name) != nullptr; }
  /// A part without a file name or a type; it replaces the one of that name where it stands, or comes last.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  /// The value goes on under the other name, as set() puts it. False where there is nothing to do.
  bool rename(std::string_view from, std::string_view to);
  /// Empty where no part is left.
  [[nodiscard]] std::string text() const;

 private:
  struct Part {
    std::string headers;  ///< Each with its line's end.
    std::optional<std::string> name;  ///< Of what can be changed.
    std::string value;
  };
  Part* part(std::string_view name);
  void read(std::string_view part);
  std::string boundary_;
  std::vector<Part> parts_;
};

}  // namespace transformers
