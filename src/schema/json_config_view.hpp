#pragma once

#include "base/json.hpp"
#include "gibbon/config_view.hpp"

namespace gibbon::schema {

/// A ConfigView over a JSON object. A field of another type than the one asked for gives the fallback.
/// Ownership: borrows the object, which must outlive the view and what record() returns.
class JsonConfigView final : public ConfigView {
 public:
  explicit JsonConfigView(const json::object& object) : object_(&object) {}

  [[nodiscard]] bool is_null(std::string_view field) const override;
  [[nodiscard]] std::string string(std::string_view field, std::string_view fallback) const override;
  [[nodiscard]] double number(std::string_view field, double fallback) const override;
  [[nodiscard]] std::int64_t integer(std::string_view field, std::int64_t fallback) const override;
  [[nodiscard]] bool boolean(std::string_view field, bool fallback) const override;
  [[nodiscard]] std::vector<std::string> strings(std::string_view field) const override;
  [[nodiscard]] std::unique_ptr<ConfigView> record(std::string_view field) const override;
  [[nodiscard]] std::vector<std::string> keys(std::string_view field) const override;

 private:
  [[nodiscard]] const json::value* find(std::string_view field) const;
  const json::object* object_;
};

}  // namespace gibbon::schema
