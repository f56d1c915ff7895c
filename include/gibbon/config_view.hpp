#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gibbon {

/// A validated `config` record with its defaults filled in: what a plugin's Config is made from.
/// The schema guarantees that a field has its declared type; a field that is null or absent gives the fallback.
/// Threads: used on one thread at a time. Ownership: the strings are copies.
class ConfigView {
 public:
  virtual ~ConfigView() = default;
  [[nodiscard]] virtual bool is_null(std::string_view field) const = 0;
  [[nodiscard]] virtual std::string string(std::string_view field, std::string_view fallback = {}) const = 0;
  [[nodiscard]] virtual double number(std::string_view field, double fallback = 0) const = 0;
  [[nodiscard]] virtual std::int64_t integer(std::string_view field, std::int64_t fallback = 0) const = 0;
  [[nodiscard]] virtual bool boolean(std::string_view field, bool fallback = false) const = 0;
  [[nodiscard]] virtual std::vector<std::string> strings(std::string_view field) const = 0;
  /// A nested record; an empty one where the field is null.
  [[nodiscard]] virtual std::unique_ptr<ConfigView> record(std::string_view field) const = 0;
  /// The keys of a map field, in their order; their values are read through record(field).
  [[nodiscard]] virtual std::vector<std::string> keys(std::string_view field) const = 0;
};

}  // namespace gibbon
