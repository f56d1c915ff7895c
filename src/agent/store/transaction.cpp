#include "agent/store/transaction.hpp"

namespace gibbon::agent {

Outcome<Row> Transaction::insert(const Collection& collection, json::object entity) {
  const auto id = text_of(entity, "id");
  if (image_.find(collection.name, id) != nullptr) return primary_key_violation(id);
  return put(collection, std::move(entity));
}

Outcome<Row> Transaction::put(const Collection& collection, json::object entity) {
  if (auto taken = image_.collision(collection, entity)) return unique_violation(std::move(*taken));
  for (const auto& foreign : collection.foreign) {
    const auto parent = foreign_id(entity, foreign.field);
    if (!parent.empty() && image_.find(foreign.collection, parent) == nullptr)
      return missing_reference(foreign.field, json::object{{"id", parent}}, foreign.collection);
  }
  std::string id(text_of(entity, "id"));
  image_.put(collection, std::move(entity));
  auto row = image_.find(collection.name, id);
  changes_.push_back({&collection, std::move(id), row});
  return row;
}

std::optional<StoreError> Transaction::put_all(const Collection& collection, const Image::Rows& rows) {
  std::vector<Row> changed;
  for (const auto& [id, row] : rows) {
    const auto stored = image_.find(collection.name, id);
    if (stored == nullptr || *stored != *row) changed.push_back(row);
  }
  for (const auto& row : changed) image_.erase(collection, text_of(*row, "id"));
  for (const auto& row : changed)
    if (auto stored = put(collection, *row); !stored.ok()) return stored.error();
  return std::nullopt;
}

Outcome<Row> Transaction::remove(const Collection& collection, std::string_view id) {
  if (image_.find(collection.name, id) == nullptr) return Row();
  const auto each_child = [&](bool cascades, auto&& visit) -> std::optional<StoreError> {
    for (const auto& child : image_.collections())
      for (const auto& foreign : child.foreign) {
        if (foreign.collection != collection.name || foreign.cascades != cascades) continue;
        for (const auto& child_id : image_.children(child.name, foreign.field, id))
          if (std::optional<StoreError> error = visit(child, child_id)) return error;
      }
    return std::nullopt;
  };
  if (auto refused = each_child(false, [&](const Collection& child, const std::string&) {
        return std::optional(still_referenced(collection.name, child.name));
      }))
    return *refused;
  if (auto failed = each_child(true, [&](const Collection& child, const std::string& child_id) {
        auto removed = remove(child, child_id);
        return removed.ok() ? std::nullopt : std::optional(removed.error());
      }))
    return *failed;
  changes_.push_back({&collection, std::string(id), nullptr});
  image_.erase(collection, id);
  return Row();
}

}  // namespace gibbon::agent
