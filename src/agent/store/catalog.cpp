#include "agent/store/catalog.hpp"

#include <spdlog/spdlog.h>

#include <set>

#include "config/entity_schemas.hpp"

namespace gibbon::agent {

Catalog::Catalog(std::shared_ptr<const plugin::Registry> plugins) : plugins_(std::move(plugins)) {
  for (const auto* plugin : plugins_->all()) {
    auto config = plugin->schema();
    auto entity = config::plugin_entity_schema(config);
    schemas_.emplace(plugin->name, PluginSchemas{std::move(config), std::move(entity)});
  }
  collections_ = Collections::core();
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

schema::Checked Catalog::check_insert(const Collection& collection, json::object input) const {
  return checked(collection, input, input,
                 [&](const Schema& schema) { return schema::check_insert(schema, input); });
}

schema::Checked Catalog::check_update(const Collection& collection, const json::object& stored,
                                      json::object patch) const {
  patch.erase("id");
  const auto* name = patch.if_contains("name");
  return checked(collection, name != nullptr && name->is_string() ? patch : stored, patch,
                 [&](const Schema& schema) { return schema::check_update(schema, stored, patch); });
}

schema::Checked Catalog::check_upsert(const Collection& collection, json::object input,
                                      const json::object* stored) const {
  return checked(collection, input, input,
                 [&](const Schema& schema) { return schema::check_upsert(schema, input, stored); });
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
