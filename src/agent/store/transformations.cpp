#include "agent/store/transformations.hpp"

#include <algorithm>

#include "schema/records.hpp"

namespace gibbon::agent {
namespace {

std::string_view text_at(const json::object& entity, std::string_view path) {
  const auto* value = schema::find_value(entity, path);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

}  // namespace

void transform(const Collection& collection, const json::object& written, json::object& entity) {
  for (const auto& transformation : collection.entity.transformations) {
    const auto value = text_at(written, transformation.field);
    if (value.empty()) continue;
    std::vector<std::string_view> needed;
    for (const auto& path : transformation.needs) needed.push_back(text_at(entity, path));
    std::string stored = transformation.on_write(value, needed);
    entity[transformation.field] = stored;
  }
}

void check_transformations(const Collection& collection, const json::object& stored,
                           const json::object& patch, schema::Violations& violations) {
  for (const auto& transformation : collection.entity.transformations) {
    const auto& needs = transformation.needs;
    const bool needs_change = std::any_of(needs.begin(), needs.end(), [&](const auto& path) {
      return text_at(patch, path) != text_at(stored, path);
    });
    if (!needs_change) continue;  // What is stored already serves.
    std::size_t set = text_at(patch, transformation.field).empty() ? 0 : 1;
    std::string list = "'" + transformation.field + "'";
    for (const auto& path : needs) {
      if (!text_at(patch, path).empty()) ++set;
      list += ", '" + path + "'";
    }
    if (set != 0 && set != needs.size() + 1)
      violations.add_entity("all or none of these fields must be set: " + list);
  }
}

}  // namespace gibbon::agent
