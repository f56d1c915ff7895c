// The ids of entities that a declarative document does not give one: Kong's own, so that the same file makes
// the same ids here and there.
#include <algorithm>

#include "agent/store/declarative_document.hpp"
#include "base/json_text.hpp"
#include "base/uuid.hpp"
#include "schema/records.hpp"

namespace gibbon::agent {
namespace {

/// The namespace in which Kong derives the ids of declarative entities.
constexpr const char* kEntities = "fd02801f-0957-4a15-a55a-c8d9606f30b5";
/// Where an entity belongs to no workspace, as all do here.
constexpr const char* kWorkspace = "*";
/// What takes an id's place that is no text: the entity is refused, but its children need not be.
constexpr const char* kNoId = "00000000-0000-4000-8000-000000000000";

std::string derive_id(const std::string& collection, std::string_view key) {
  return uuid_v5(uuid_v5(kEntities, collection), key);
}

bool is_set(const json::value* value) { return value != nullptr && !value->is_null(); }

}  // namespace

std::optional<std::string> DeclarativeDocument::kongs_key(const Node& node) {
  const auto& collection = *node.collection;
  const auto& schema = collection.entity.schema;
  if (!collection.cache_key().empty()) {
    auto key = collection.name + ":" + kWorkspace;
    for (const auto& field : collection.cache_key()) {
      const auto* row = schema::find_row(schema, nullptr, field);
      const auto* value = node.raw->if_contains(field);
      if (row != nullptr && row->is_auto) return std::nullopt;
      if (value != nullptr) {
        // A reference counts as it is written. One that is an object, or null, does not count at all.
        if (value->is_string()) key += ":" + std::string(value->get_string());
      } else if (node.parent != nullptr && node.parent_field == field) {
        key += ":" + node.parent->id;
      } else if (row != nullptr && row->is_required) {
        return std::nullopt;
      } else {
        key += ":";
      }
    }
    return key;
  }
  const auto name = text_of(*node.raw, collection.endpoint_key);
  if (name.empty()) return std::nullopt;
  std::string key(name);
  if (!collection.key_within_parent) return key;
  for (const auto& foreign : collection.foreign) {
    if (!foreign.cascades) continue;
    key += ":";
    key += node.parent != nullptr ? std::string_view(node.parent->id) : text_of(*node.raw, foreign.field);
  }
  return key + ":" + kWorkspace;
}

void DeclarativeDocument::identify(Node& node) {
  const auto& collection = *node.collection;
  if (const auto* given = node.raw->if_contains("id"); is_set(given)) {
    node.id = given->is_string() ? std::string(given->get_string()) : kNoId;
    return;
  }
  if (const auto key = node.raw->contains("id") ? std::nullopt : kongs_key(node)) {
    node.id = derive_id(collection.name, *key);
    node.id_is_kongs = true;
  } else {
    // Kong gives such an entity another id each time. Here it depends on the content, so that a reload keeps
    // it.
    const auto content = collection.name + ":" + to_text(node.entity);
    const int copy = ++copies_[content];
    node.id = derive_id(collection.name, copy == 1 ? content : content + ":" + std::to_string(copy));
  }
  node.entity["id"] = node.id;
}

}  // namespace gibbon::agent
