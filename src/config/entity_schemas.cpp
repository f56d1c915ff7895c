#include "config/entity_schemas.hpp"

#include "base/pem.hpp"
#include "config/rows/rows.hpp"
#include "schema/hosts.hpp"
#include "schema/records.hpp"

namespace gibbon::config {
namespace {

/// Kong's DEFAULT_PORT of targets.
constexpr std::uint16_t kTargetPort = 8000;

void add_digest(json::object& entity) {
  const auto* text = entity.if_contains("cert");
  if (text == nullptr || !text->is_string()) return;
  if (const auto certificate = read_certificate(text->get_string()); certificate.ok())
    entity["cert_digest"] = certificate_digest(certificate->get());
}

}  // namespace

const std::vector<Entity>& core_entities() {
  static const std::vector<Entity> all = {
      rows::ca_certificates(), rows::certificates(), rows::consumers(), rows::services(), rows::routes(),
      rows::plugins(),         rows::snis(),         rows::upstreams(), rows::targets(),  rows::vaults(),
  };
  return all;
}

const Schema* entity_schema(std::string_view collection) {
  for (const Entity& entity : core_entities())
    if (entity.name == collection) return &entity.schema;
  return nullptr;
}

const Schema& service_schema() { return *entity_schema("services"); }
const Schema& route_schema() { return *entity_schema("routes"); }
const Schema& plugin_schema() { return *entity_schema("plugins"); }

Schema plugin_entity_schema(const Schema& config) {
  Schema plugin = plugin_schema();
  plugin.subschemas_by("", {}, "");
  plugin.checks = schema::under("config", config.checks);
  for (NamedField& row : plugin.fields) {
    if (row.name == "config") row.field = schema::config_row(config);
    for (const NamedField& special : config.entity_rows)
      if (special.name == row.name) row.field = special.field;
  }
  return plugin;
}

void normalize_entity(std::string_view collection, json::object& entity, schema::Violations& violations) {
  if (collection == "ca_certificates") return add_digest(entity);
  if (collection != "targets") return;
  auto* target = entity.if_contains("target");
  if (target == nullptr || !target->is_string()) return;
  auto formatted = schema::format_host_port(target->get_string(), kTargetPort);
  if (formatted.empty()) {
    violations.add("target", "Invalid target; not a valid hostname or ip address");
  } else {
    *target = formatted;
  }
}

}  // namespace gibbon::config
