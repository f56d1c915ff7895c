// components.schemas: entities and configurations of plugins, made of their rows.
#include "agent/admin/openapi/parts.hpp"
#include "schema/json_schema.hpp"

namespace gibbon::agent::openapi_parts {
namespace {

using schema::Usage;

std::string config_name(std::string_view plugin) { return "plugin_config_" + std::string(plugin); }

/// The kinds of an entity whose `config` depends on `name`, each of them one that a reference leads to.
json::object kinds(json::array references) {
  if (references.empty()) return {{"type", "object"}};
  return {{"anyOf", std::move(references)}};
}

void set_config(json::object& entity, json::object config) {
  if (json::value* properties = entity.if_contains("properties"); properties->get_object().contains("config"))
    properties->get_object()["config"] = std::move(config);
}

json::array plugin_configs(const Catalog& catalog, std::string_view suffix) {
  json::array all;
  for (const auto* plugin : catalog.plugins().all())
    all.push_back(reference("schemas", config_name(plugin->name) + std::string(suffix)));
  return all;
}

json::array vault_configs(const Schema& vaults, Usage usage) {
  json::array all;
  for (const Subschema& vault : vaults.subschemas)
    for (const NamedField& row : vault.fields)
      if (row.name == "config") all.push_back(schema::json_schema(row.field, usage));
  return all;
}

json::object entity(const Catalog& catalog, const Collection& collection, Usage usage) {
  const Schema& rows = collection.entity.schema;
  json::object out = schema::json_schema_without_null(rows, usage);
  if (!collection.entity.description.empty()) out["description"] = collection.entity.description;
  if (collection.name == "plugins")
    set_config(out, kinds(plugin_configs(catalog, usage == Usage::kGiven ? "_input" : "")));
  if (collection.name == "vaults") set_config(out, kinds(vault_configs(rows, usage)));
  return out;
}

json::object text_properties(std::initializer_list<std::string_view> names) {
  json::object properties;
  for (const auto name : names) properties[name] = json::object{{"type", "string"}};
  return properties;
}

}  // namespace

std::string shown_name(const Collection& collection) { return std::string(singular(collection.name)); }
std::string given_name(const Collection& collection) { return shown_name(collection) + "_input"; }

json::object schemas(const Catalog& catalog) {
  json::object out;
  for (const auto& collection : catalog.collections()) {
    out[shown_name(collection)] = entity(catalog, collection, Usage::kShown);
    out[given_name(collection)] = entity(catalog, collection, Usage::kGiven);
  }
  for (const auto* plugin : catalog.plugins().all()) {
    const Schema& config = *catalog.config_schema(plugin->name);
    out[config_name(plugin->name)] = schema::json_schema_without_null(config, Usage::kShown);
    out[config_name(plugin->name) + "_input"] = schema::json_schema_without_null(config, Usage::kGiven);
  }
  out["Message"] = json::object{
      {"type", "object"}, {"properties", text_properties({"message"})}, {"required", json::array{"message"}}};
  json::object error = text_properties({"message", "name"});
  error["code"] = json::object{{"type", "integer"}, {"description", "Kong's number of the kind of error."}};
  error["fields"] =
      json::object{{"type", json::array{"object", "null"}},
                   {"description", "What is wrong, by field; about the whole under `@entity`."}};
  out["Error"] = json::object{
      {"type", "object"}, {"properties", std::move(error)}, {"required", json::array{"message"}}};
  out["Form"] = json::object{
      {"type", "object"},
      {"description",
       "The same fields by dotted names: `config.timeout=10`, `tags[]=a`, `paths[1]=/x`. An empty value "
       "is null."},
      {"additionalProperties", json::object{{"type", "string"}}}};
  out["Described"] = json::object{
      {"type", "object"},
      {"description", "Rows as Kong writes them."},
      {"properties",
       json::object{
           {"fields", json::object{{"type", "array"}, {"items", json::object{{"type", "object"}}}}},
           {"entity_checks", json::object{{"type", "array"}, {"items", json::object{{"type", "object"}}}}}}}};
  return out;
}

}  // namespace gibbon::agent::openapi_parts
