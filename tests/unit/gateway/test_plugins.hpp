#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>

#include "config/entities.hpp"
#include "plugin/registry.hpp"

/// Plugins that are linked into the test: their configuration is a label, their phases do nothing.
namespace gibbon::gateway::test {

struct LabelConfig {
  explicit LabelConfig(const ConfigView& view) : label(view.string("label")) {
    if (label == "refused") throw std::invalid_argument("label is refused");
    ++alive;
  }
  LabelConfig(const LabelConfig&) = delete;
  ~LabelConfig() { --alive; }
  std::string label;
  static inline int alive = 0;
};

inline Schema label_schema() { return fields::record({{"label", fields::string()}}); }

struct HandlerBase {
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;
};
struct Auth : HandlerBase {
  static constexpr int PRIORITY = 1200;
  static void certificate(Handshake&, const LabelConfig&) {}
  static void rewrite(Exchange&, const LabelConfig&) {}
  static std::vector<std::string> secrets(const LabelConfig& config) { return {config.label}; }
  static void access(Exchange&, const LabelConfig&) {}
};
struct Logger : HandlerBase {
  static constexpr int PRIORITY = 1000;
  static void access(Exchange&, const LabelConfig&) {}
  static void body_filter(Exchange&, BodyChunk&, const LabelConfig&) {}
  static void log(Exchange&, const LabelConfig&) {}
};
struct Late : HandlerBase {
  static constexpr int PRIORITY = 1;
  static void header_filter(Exchange&, const LabelConfig&) {}
};

/// auth (1200: certificate, rewrite, access), logger (1000: access, body_filter, log), late (1: header_filter).
inline const plugin::Registry& test_registry() {
  static const PluginDescriptor auth = detail::describe<Auth, LabelConfig>("auth", label_schema);
  static const PluginDescriptor logger = detail::describe<Logger, LabelConfig>("logger", label_schema);
  static const PluginDescriptor late = detail::describe<Late, LabelConfig>("late", label_schema);
  static const plugin::Registry registry = plugin::Registry::of({&late, &logger, &auth});
  return registry;
}

/// A plugin entity whose id is `number`.
inline config::Plugin configuration(std::string name, std::string label, std::string route, std::string service,
                                    std::string consumer, unsigned number) {
  config::Plugin plugin;
  char id[37];
  std::snprintf(id, sizeof id, "00000000-0000-4000-8000-%012u", number);
  plugin.id = id;
  plugin.name = std::move(name);
  plugin.route_id = std::move(route);
  plugin.service_id = std::move(service);
  plugin.consumer_id = std::move(consumer);
  plugin.config["label"] = std::move(label);
  return plugin;
}

}  // namespace gibbon::gateway::test
