#include "config/rows/rows.hpp"

namespace gibbon::config::rows {
namespace {

using namespace gibbon::fields;
using Texts = std::vector<std::string>;

/// The scope of a plugin: null where it does not narrow it down.
Field scope(std::string entities, std::string description) {
  return foreign(std::move(entities))
      .default_value(Literal(nullptr))
      .on_delete_cascade()
      .description(std::move(description));
}

}  // namespace

// clang-format off
Entity plugins() {
  Schema schema = record({
      {"id", id()},
      {"name", string().required().description("The plugin's name.")},
      {"instance_name", name("A name for this configuration of the plugin.")},
      {"created_at", created_at()},
      {"updated_at", updated_at()},
      {"route", scope("routes", "The route for whose requests the plugin runs.")},
      {"service", scope("services", "The service for whose requests the plugin runs.")},
      {"consumer", scope("consumers", "The consumer for whose requests the plugin runs.")},
      {"config", record({}).abstract().description("The plugin's own configuration.")},
      {"protocols", set(protocol()).required().default_value(Literal(Texts{"grpc", "grpcs", "http", "https"}))
          .description("The protocols for which the plugin runs.")},
      {"enabled", boolean().required().default_value(true).description("Whether the plugin runs at all.")},
      {"tags", tags()},
  })
      .subschemas_by("name", {}, "plugin '%s' not enabled; add it to the 'plugins' configuration property");
  return {.name = "plugins",
          .schema = std::move(schema),
          .endpoint_key = "instance_name",
          .cache_key = {"name", "route", "service", "consumer"},
          .description = "A plugin that is switched on, and for which requests."};
}
// clang-format on

}  // namespace gibbon::config::rows
