#include "agent/store/collection.hpp"

#include "config/entity_schemas.hpp"
#include "schema/describe.hpp"

namespace gibbon::agent {
namespace {

Collection collection(std::string name, std::string endpoint_key, std::vector<std::string> cache_key) {
  Collection made;
  const Schema* schema = config::entity_schema(name);
  for (const auto* row : schema::unique_fields(*schema)) made.unique.push_back(row->name);
  for (const auto* row : schema::foreign_fields(*schema))
    made.foreign.push_back({row->name, row->field.referenced_entity, row->field.cascades});
  made.name = std::move(name);
  made.endpoint_key = std::move(endpoint_key);
  made.cache_key = std::move(cache_key);
  return made;
}

}  // namespace

const std::vector<Collection>& collections() {
  static const std::vector<Collection> all = {
      collection("services", "name", {}),
      collection("routes", "name", {}),
      collection("plugins", "instance_name", {"name", "route", "service", "consumer"}),
  };
  return all;
}

const Collection* find_collection(std::string_view name) {
  for (const auto& collection : collections())
    if (collection.name == name) return &collection;
  return nullptr;
}

std::string_view singular(std::string_view collection) {
  return collection.ends_with('s') ? collection.substr(0, collection.size() - 1) : collection;
}

}  // namespace gibbon::agent
