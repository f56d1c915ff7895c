#include "agent/admin/openapi/openapi.hpp"

#include <algorithm>
#include <set>

#include "agent/admin/openapi/parts.hpp"
#include "base/ascii.hpp"
#include "base/version.hpp"

namespace gibbon::agent {
namespace {

using namespace openapi_parts;

json::array places(std::string_view pattern, const Collections& collections) {
  json::array parameters;
  for (std::size_t at = pattern.find('{'); at != std::string_view::npos; at = pattern.find('{', at + 1)) {
    const auto name = pattern.substr(at + 1, pattern.find('}', at) - at - 1);
    const auto* collection = collections.find(name);
    std::string description = "The name.";
    if (collection != nullptr) {
      description = "The id of one of the " + collection->name;
      description += collection->endpoint_key.empty() ? "." : ", or its `" + collection->endpoint_key + "`.";
    }
    parameters.push_back(json::object{{"name", name},
                                      {"in", "path"},
                                      {"required", true},
                                      {"description", description},
                                      {"schema", json::object{{"type", "string"}}}});
  }
  return parameters;
}

/// An endpoint that nobody wrote a row for is there all the same, with its path for a name.
json::object unnamed(std::string_view method, std::string_view pattern) {
  return operation(kNodeTag, operation_id(method, pattern), std::string(method) + " " + std::string(pattern),
                   200, response("The answer.", json_content(json::object{{"type", "object"}})),
                   {"BadRequest", "NotFound"});
}

json::object described(std::string_view method, std::string_view pattern, const Operations& entities) {
  if (const auto found = entities.find(ascii_lower(method) + " " + std::string(pattern));
      found != entities.end())
    return found->second;
  json::object out = node_operation(method, pattern);
  return out.empty() ? unnamed(method, pattern) : out;
}

json::object token_scheme() {
  return {{"type", "apiKey"},
          {"in", "header"},
          {"name", "Kong-Admin-Token"},
          {"description", "The token of `admin_token` or `admin_token_file`, where one is set."}};
}

json::array tags(const Catalog& catalog, const std::set<std::string>& used) {
  json::array all;
  const auto add = [&](std::string_view name, std::string_view description) {
    if (used.contains(std::string(name)))
      all.push_back(json::object{{"name", name}, {"description", description}});
  };
  add(kNodeTag, "The node itself.");
  add(kConfigurationTag, "The configuration as a whole, where it comes from a file.");
  add(kSchemasTag, "What may be configured.");
  for (const auto& collection : catalog.collections()) add(collection.name, collection.entity.description);
  add("tags", "The words that entities are grouped by.");
  return all;
}

}  // namespace

json::object openapi(const std::vector<ServedPath>& served, const Catalog& catalog) {
  const auto entities = entity_operations(catalog.collections());
  json::object paths;
  std::set<std::string> used_tags;
  for (const auto& path : served) {
    json::object item;
    if (auto parameters = places(path.pattern, catalog.collections()); !parameters.empty())
      item["parameters"] = std::move(parameters);
    for (const auto& method : path.methods) {
      auto operation = described(method, path.pattern, entities);
      used_tags.emplace(operation.at("tags").at(0).as_string());
      item[ascii_lower(method)] = std::move(operation);
    }
    paths[path.pattern] = std::move(item);
  }
  return {
      {"openapi", "3.1.0"},
      {"info",
       json::object{{"title", "Gibbon's Admin API"},
                    {"version", kVersion},
                    {"summary", std::string("Kong ") + kKongVersion + "'s Admin API, as Gibbon serves it."},
                    {"license", json::object{{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
      {"servers",
       json::array{json::object{{"url", "/"}, {"description", "Where this document comes from."}}}},
      // A token is asked for only where the settings say so.
      {"security", json::array{json::object(), json::object{{"token", json::array()}}}},
      {"tags", tags(catalog, used_tags)},
      {"paths", std::move(paths)},
      {"components", json::object{{"schemas", schemas(catalog)},
                                  {"responses", responses()},
                                  {"parameters", parameters()},
                                  {"securitySchemes", json::object{{"token", token_scheme()}}}}},
  };
}

}  // namespace gibbon::agent
