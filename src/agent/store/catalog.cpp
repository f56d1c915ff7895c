#include "agent/store/catalog.hpp"

#include <spdlog/spdlog.h>

#include <set>

#include "agent/store/transformations.hpp"
#include "agent/store/ttl.hpp"
#include "config/entity_schemas.hpp"

namespace gibbon::agent {

Catalog::Catalog(std::shared_ptr<const plugin::Registry> plugins) : plugins_(std::move(plugins)) {
  std::vector<Entity> entities;
  for (const auto* plugin : plugins_->all()) {
    if (plugin->entities != nullptr)
      for (Entity& entity : plugin->entities()) entities.push_back(std::move(entity));
    auto config = plugin->schema();
    auto entity = config::plugin_entity_schema(config);
    schemas_.emplace(plugin->name, PluginSchemas{std::move(config), std::move(entity)});
  }
  collections_ = entities.empty() ? Collections::core() : std::make_shared<const Collections>(std::move(entities));
}

const Schema* Catalog::config_schema(std::string_view plugin) const {
  const auto found = schemas_.find(plugin);
  return found == schemas_.end() ? nullptr : &found->second.config;
}

const Schema& Catalog::schema_for(const Collection& collection, const json::object& input) const {
  if (collection.name == "plugins")
    if (const auto found = schemas_.find(text_of(input, "name")); found != schemas_.end())
      return found->second.entity;
  return collection.entity.schema;
}

template <typename Check>
schema::Checked Catalog::checked(const Collection& collection, const json::object& named, json::object& input,
                                 Check check) const {
  const auto name = std::string(text_of(named, "name"));
  const bool is_plugin = collection.name == "plugins";
  const auto* plugin = is_plugin ? plugins_->find(name) : nullptr;
  // Of a plugin that nobody knows nothing can be said about its configuration.
  if (is_plugin && plugin == nullptr) input.erase("config");
  schema::Checked result = check(schema_for(collection, named));
  for (const NamedField& row : collection.entity.schema.fields)
    if (row.field.is_transient) result.entity.erase(row.name);  // Of the Admin API's, not of what is stored.
  for (const auto& warning : result.warnings) spdlog::warn("[deprecated] {}", warning);
  if (result.ok()) config::normalize_entity(collection.name, result.entity, result.violations);
  if (!is_plugin) return result;
  if (plugin == nullptr) {
    if (!name.empty())
      result.violations.add(
          "name", "plugin '" + name + "' not enabled; add it to the 'plugins' configuration property");
    return result;
  }
  if (const auto* config = result.entity.if_contains("config");
      result.ok() && config != nullptr && config->is_object())
    if (auto made = plugin::ConfigObject::make(*plugin, config->get_object()); !made.ok())
      result.violations.add(made.error().field.empty() ? "config" : made.error().field, made.error().message);
  return result;
}

schema::Checked Catalog::check_insert(const Collection& collection, json::object input, Values values) const {
  const auto ttl = take_ttl(collection, input);
  auto result = checked(collection, input, input,
                        [&](const Schema& schema) { return schema::check_insert(schema, input); });
  if (!result.ok()) return result;
  if (values != Values::kStored) transform(collection, result.entity, result.entity);
  if (collection.has_ttl())
    result.entity["ttl"] = values == Values::kOperators ? expiry(ttl) : ttl.value_or(nullptr);
  return result;
}

schema::Checked Catalog::check_update(const Collection& collection, const json::object& stored,
                                      json::object patch) const {
  patch.erase("id");
  const auto ttl = take_ttl(collection, patch);
  const auto* name = patch.if_contains("name");
  auto result = checked(collection, name != nullptr && name->is_string() ? patch : stored, patch,
                        [&](const Schema& schema) { return schema::check_update(schema, stored, patch); });
  if (result.ok()) check_transformations(collection, stored, patch, result.violations);
  if (!result.ok()) return result;
  transform(collection, patch, result.entity);
  if (collection.has_ttl()) {
    const auto* before = stored.if_contains("ttl");
    result.entity["ttl"] = ttl ? expiry(ttl) : before != nullptr ? *before : json::value(nullptr);
  }
  return result;
}

schema::Checked Catalog::check_upsert(const Collection& collection, json::object input,
                                      const json::object* stored) const {
  const auto ttl = take_ttl(collection, input);
  auto result = checked(collection, input, input,
                        [&](const Schema& schema) { return schema::check_upsert(schema, input, stored); });
  if (!result.ok()) return result;
  transform(collection, result.entity, result.entity);
  if (collection.has_ttl()) result.entity["ttl"] = expiry(ttl);
  return result;
}

std::vector<std::string> Catalog::missing_plugins(const Image& image) const {
  std::set<std::string> missing;
  for (const auto& [id, row] : image.rows("plugins"))
    if (const auto name = text_of(*row, "name"); plugins_->find(name) == nullptr) missing.emplace(name);
  return {missing.begin(), missing.end()};
}

Status Catalog::check_plugins(const Image& image) const {
  std::string names;
  for (const auto& name : missing_plugins(image)) names += (names.empty() ? "" : ", ") + name;
  if (names.empty()) return {};
  return Error{"in use, but not enabled: " + names + "; add them to the 'plugins' configuration property", "plugins"};
}

}  // namespace gibbon::agent
