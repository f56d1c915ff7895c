#pragma once

#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "gibbon/entity.hpp"
#include "schema/violations.hpp"

/// The gateway's own entities, declared in rows (src/config/rows): what the Admin API, the stores and the
/// declarative file know of them. Each is built once and lives as long as the process. Threads: any.
namespace gibbon::config {

/// Parents before children, else by name: Kong's order.
const std::vector<Entity>& core_entities();
/// By the name of its collection: "services", "routes", ...; null for any other.
const Schema* entity_schema(std::string_view collection);

const Schema& service_schema();
const Schema& route_schema();
/// The base record of all plugins. Nothing can be checked against it but a plugin that is missing: whatever
/// `name` says, it is refused as "not enabled"; without one, as "required field missing".
const Schema& plugin_schema();
/// A plugin's entity: the base record with `config` replaced by the plugin's own schema, what POST /plugins
/// and PATCH are checked against. Checks of `config` become checks of the entity ("config.minute").
Schema plugin_entity_schema(const Schema& config);

/// What is made of a checked entity before it is stored: a target gets its port, a CA
/// certificate its digest. What is wrong goes to
/// `violations`.
void normalize_entity(std::string_view collection, json::object& entity, schema::Violations& violations);

}  // namespace gibbon::config
