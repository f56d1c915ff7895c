#include "gateway/consumers/entity_index.hpp"

#include <algorithm>

namespace gibbon::gateway {
namespace {

/// The field by which entities of a kind are found: their endpoint key, where it is unique. Empty: none.
std::string_view key_field(const Entity& kind) {
  const auto& rows = kind.schema.fields;
  const bool unique = std::any_of(rows.begin(), rows.end(), [&](const NamedField& row) {
    return row.name == kind.endpoint_key && row.field.is_unique;
  });
  return unique ? std::string_view(kind.endpoint_key) : std::string_view();
}

template <typename Map>
auto value_or_null(const Map& map, std::string_view key) -> typename Map::mapped_type {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second;
}

}  // namespace

EntityIndex::EntityIndex(const config::Snapshot& snapshot, const std::vector<Entity>& kinds) {
  consumers_.reserve(snapshot.consumers.size());
  by_id_.reserve(snapshot.consumers.size());
  for (const config::Consumer& consumer : snapshot.consumers) {
    consumers_.push_back({consumer.id, consumer.username, consumer.custom_id});
    by_id_.emplace(consumer.id, &consumers_.back());
    if (!consumer.username.empty()) by_username_.emplace(consumer.username, &consumers_.back());
  }
  for (const Entity& kind : kinds) {
    const auto entities = snapshot.plugin_entities.find(kind.name);
    if (entities != snapshot.plugin_entities.end()) add(kind, entities->second);
  }
}

void EntityIndex::add(const Entity& kind, const config::PluginEntities& entities) {
  Kind& made = *kinds_.emplace_back(std::make_unique<Kind>());
  made.name = kind.name;
  made.rows.reserve(entities.size());
  made.by_key.reserve(entities.size());
  const std::string_view key = key_field(kind);
  for (const auto& entity : entities) {
    Row& row = made.rows.emplace_back();
    row.fields.assign(entity->fields.begin(), entity->fields.end());
    row.expires_at_s = entity->expires_at_s;
    row.view = {entity->id, value_or_null(by_id_, entity->consumer_id), row.fields};
    if (const std::string_view value = row.view.field(key); !value.empty()) made.by_key.emplace(value, &row);
    if (!entity->consumer_id.empty()) made.by_consumer[entity->consumer_id].push_back(&row);
  }
}

const EntityIndex::Kind* EntityIndex::kind(std::string_view collection) const {
  for (const auto& each : kinds_)
    if (each->name == collection) return each.get();
  return nullptr;
}

const EntityView* EntityIndex::find(std::string_view collection, std::string_view key,
                                    std::int64_t now_s) const {
  const Kind* of = kind(collection);
  const Row* row = of == nullptr ? nullptr : value_or_null(of->by_key, key);
  return row != nullptr && row->lives(now_s) ? &row->view : nullptr;
}

void EntityIndex::each_of_consumer(std::string_view collection, const Consumer& consumer, std::int64_t now_s,
                                   Visitor<const EntityView&> visit) const {
  const Kind* of = kind(collection);
  if (of == nullptr) return;
  const auto rows = of->by_consumer.find(consumer.id);
  if (rows == of->by_consumer.end()) return;
  for (const Row* row : rows->second)
    if (row->lives(now_s)) visit(row->view);
}

const Consumer* EntityIndex::find_consumer(std::string_view id_or_username) const {
  const Consumer* by_id = value_or_null(by_id_, id_or_username);
  return by_id != nullptr ? by_id : value_or_null(by_username_, id_or_username);
}

}  // namespace gibbon::gateway
