#include "agent/store/collection.hpp"

#include <algorithm>
#include <stdexcept>

#include "config/entity_schemas.hpp"
#include "schema/describe.hpp"

namespace gibbon::agent {
namespace {

Collection collection(Entity entity) {
  Collection made;
  made.name = entity.name;
  made.path = entity.path.empty() ? entity.name : entity.path;
  made.nested_path = entity.nested_path.empty() ? made.path : entity.nested_path;
  made.endpoint_key = entity.endpoint_key;
  for (const auto* row : schema::unique_fields(entity.schema)) made.unique.push_back(row->name);
  for (const auto* row : schema::foreign_fields(entity.schema))
    made.foreign.push_back({row->name, row->field.referenced_entity, row->field.cascades});
  made.key_within_parent = !made.endpoint_key.empty() &&
                           std::find(made.unique.begin(), made.unique.end(), made.endpoint_key) == made.unique.end();
  made.entity = std::move(entity);
  return made;
}

}  // namespace

const ForeignKey* Collection::foreign_key(std::string_view field) const {
  const auto found = std::find_if(foreign.begin(), foreign.end(), [&](const auto& key) { return key.field == field; });
  return found == foreign.end() ? nullptr : &*found;
}

Collections::Collections(std::vector<Entity> more) {
  for (const Entity& entity : config::core_entities()) all_.push_back(collection(entity));
  for (Entity& entity : more)
    if (find(entity.name) == nullptr) all_.push_back(collection(std::move(entity)));
}

const Collection* Collections::find(std::string_view name) const {
  for (const auto& each : all_)
    if (each.name == name) return &each;
  return nullptr;
}

const Collection& Collections::at(std::string_view name) const {
  if (const auto* found = find(name)) return *found;
  throw std::out_of_range("no collection " + std::string(name));
}

std::shared_ptr<const Collections> Collections::core() {
  static const auto collections = std::make_shared<const Collections>(std::vector<Entity>());
  return collections;
}

std::string_view singular(std::string_view collection) {
  return collection.ends_with('s') ? collection.substr(0, collection.size() - 1) : collection;
}

}  // namespace gibbon::agent
