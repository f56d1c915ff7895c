#include "schema/json_config_view.hpp"

#include <cmath>
#include <limits>

namespace gibbon::schema {
namespace {

const json::object kNoFields;

std::string to_string(const json::string& text) { return {text.data(), text.size()}; }

}  // namespace

const json::value* JsonConfigView::find(std::string_view field) const { return object_->if_contains(field); }

bool JsonConfigView::is_null(std::string_view field) const {
  const json::value* value = find(field);
  return value == nullptr || value->is_null();
}

std::string JsonConfigView::string(std::string_view field, std::string_view fallback) const {
  const json::value* value = find(field);
  return value != nullptr && value->is_string() ? to_string(value->get_string()) : std::string(fallback);
}

double JsonConfigView::number(std::string_view field, double fallback) const {
  const json::value* value = find(field);
  if (value == nullptr || !value->is_number()) return fallback;
  return value->to_number<double>();
}

std::int64_t JsonConfigView::integer(std::string_view field, std::int64_t fallback) const {
  const json::value* value = find(field);
  if (value == nullptr) return fallback;
  if (value->is_int64()) return value->get_int64();
  if (value->is_uint64()) return std::numeric_limits<std::int64_t>::max();
  if (!value->is_double() || std::isnan(value->get_double())) return fallback;
  // 2^63 itself is a double, but no int64.
  constexpr double kBound = 9223372036854775808.0;
  const double number = std::trunc(value->get_double());
  if (number >= kBound) return std::numeric_limits<std::int64_t>::max();
  if (number < -kBound) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(number);
}

bool JsonConfigView::boolean(std::string_view field, bool fallback) const {
  const json::value* value = find(field);
  return value != nullptr && value->is_bool() ? value->get_bool() : fallback;
}

std::vector<std::string> JsonConfigView::strings(std::string_view field) const {
  std::vector<std::string> result;
  const json::value* value = find(field);
  if (value == nullptr || !value->is_array()) return result;
  for (const json::value& element : value->get_array()) {
    if (element.is_string()) result.push_back(to_string(element.get_string()));
  }
  return result;
}

std::unique_ptr<ConfigView> JsonConfigView::record(std::string_view field) const {
  const json::value* value = find(field);
  const bool is_record = value != nullptr && value->is_object();
  return std::make_unique<JsonConfigView>(is_record ? value->get_object() : kNoFields);
}

std::vector<std::string> JsonConfigView::keys(std::string_view field) const {
  std::vector<std::string> result;
  const json::value* value = find(field);
  if (value == nullptr || !value->is_object()) return result;
  for (const auto& member : value->get_object()) result.emplace_back(member.key().data(), member.key().size());
  return result;
}

}  // namespace gibbon::schema
