// What may be configured: /schemas/..., /plugins/enabled, /plugins/schema/{name}.
#include "agent/admin/api.hpp"
#include "agent/admin/reply.hpp"
#include "config/entity_schemas.hpp"
#include "schema/describe.hpp"

namespace gibbon::agent {
namespace {

http::Response no_such(std::string_view what, const std::string& name) {
  return message_reply(404, "No " + std::string(what) + " named '" + name + "'");
}

http::Response validate(Host& host, const Collection& collection, const Body& body) {
  const auto catalog = host.catalog();
  json::object named;
  if (const auto name = body.field("name")) named["name"] = *name;
  const auto checked = catalog->check_insert(collection, body.input(catalog->schema_for(collection, named)));
  if (!checked.ok()) return error_reply(schema_violation(checked.violations));
  return message_reply(200, "schema validation successful");
}

}  // namespace

void add_schema_endpoints(Endpoints& endpoints, Host& host) {
  endpoints.add("GET", "/schemas/{name}", [&host](Call& call) {
    const auto& name = call.params["name"];
    const auto catalog = host.catalog();
    const auto* collection = catalog->collections().find(name);
    return collection == nullptr ? no_such("entity", name)
                                 : json_reply(200, schema::describe(collection->entity.schema));
  });
  endpoints.add("POST", "/schemas/{db_entity_name}/validate", [&host](Call& call) {
    const auto& name = call.params["db_entity_name"];
    const auto catalog = host.catalog();
    const auto* collection = catalog->collections().find(name);
    return collection == nullptr ? no_such("entity", name) : validate(host, *collection, call.body);
  });
  endpoints.add("POST", "/schemas/plugins/validate", [&host](Call& call) {
    return validate(host, host.catalog()->collections().at("plugins"), call.body);
  });
  endpoints.add("GET", "/schemas/plugins/{name}", [&host](Call& call) {
    const auto& name = call.params["name"];
    const auto catalog = host.catalog();
    const auto* config = catalog->config_schema(name);
    if (config == nullptr) return no_such("plugin", name);
    return json_reply(200, schema::describe_plugin(*config));
  });
  endpoints.add("GET", "/plugins/schema/{name}", [&host](Call& call) {
    const auto& name = call.params["name"];
    const auto catalog = host.catalog();
    const auto* config = catalog->config_schema(name);
    return config == nullptr ? no_such("plugin", name)
                             : json_reply(200, schema::describe_plugin_config(*config));
  });
  endpoints.add("POST", "/schemas/vaults/validate", [&host](Call& call) {
    return validate(host, host.catalog()->collections().at("vaults"), call.body);
  });
  endpoints.add("GET", "/schemas/vaults/{name}", [&host](Call& call) {
    const auto& name = call.params["name"];
    const auto catalog = host.catalog();
    const auto* vault = schema::find_subschema(catalog->collections().at("vaults").entity.schema, name);
    return vault == nullptr ? no_such("vault", name) : json_reply(200, schema::describe(*vault));
  });
  endpoints.add("GET", "/plugins/enabled", [&host](Call&) {
    json::array names;
    for (const auto* plugin : host.catalog()->plugins().all()) names.emplace_back(plugin->name);
    return json_reply(200, json::object{{"enabled_plugins", std::move(names)}});
  });
}

}  // namespace gibbon::agent
