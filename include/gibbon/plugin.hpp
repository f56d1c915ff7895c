#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gibbon/config_view.hpp"
#include "gibbon/delivery.hpp"
#include "gibbon/entity.hpp"
#include "gibbon/exchange.hpp"
#include "gibbon/schema.hpp"

/// What a plugin is to the host. A plugin is two files, schema.cpp and handler.cpp:
///
///     // schema.cpp
///     gibbon::Schema request_counter_schema() { return gibbon::fields::record({...}); }
///
///     // handler.cpp
///     struct Config { explicit Config(const gibbon::ConfigView& view); ... };
///     struct Handler {
///       static constexpr int PRIORITY = 1000;             // higher runs earlier
///       static constexpr const char* VERSION = "1.0.0";
///       static constexpr auto FAILURE_POLICY = gibbon::FailurePolicy::kOpen;
///       static void access(gibbon::Exchange&, const Config&);   // a method per phase that it wants
///       static void log(gibbon::Exchange&, const Config&);
///     };
///     GIBBON_PLUGIN("request-counter", Handler, Config, request_counter_schema)
///
/// Phases: `certificate` (no exchange yet), `rewrite`, `access`, `header_filter`, `body_filter`, `log`. The first
/// two run for global configurations only, as in Kong. A handler without a method costs nothing in that phase.
///
/// What else a handler may have, all static:
///   bool reads_body(const Config&)                       access wants the request's whole body: it is read before.
///   std::vector<std::string> secrets(const Config&)      headers and query arguments of these names are secrets: neither
///                                                        records nor the gateway's logs show their values.
///   std::vector<Entity> entities()                       kinds of entities that the plugin brings: credentials.
///
/// Delivery: `static Destination destination(const Config&)` and
/// `static void encode(const ExchangeRecord&, const Config&, std::string& out)`, which appends one JSON object;
/// both run in the agent, on its delivery thread.
namespace gibbon {

/// Changes whenever a type of this kit changes its layout. A plugin built for another one is refused.
inline constexpr unsigned kPluginAbiVersion = 2;

/// What happens to a request whose handler threw: it goes on without the plugin, or it is refused with a 500.
enum class FailurePolicy { kOpen, kClosed };

/// What the host sees of a plugin: functions on an opaque configuration. Made by GIBBON_PLUGIN alone.
struct PluginDescriptor {
  unsigned abi_version;
  const char* name;
  const char* version;
  int priority;
  FailurePolicy failure_policy;
  Schema (*schema)();
  /// May throw what the constructor of Config throws.
  void* (*make_config)(const ConfigView&);
  void (*free_config)(void*);
  // Each null where the handler has no such method. May throw.
  void (*certificate)(std::string_view server_name, const void* config);
  void (*rewrite)(Exchange&, const void* config);
  void (*access)(Exchange&, const void* config);
  void (*header_filter)(Exchange&, const void* config);
  void (*body_filter)(Exchange&, const BodyChunk&, const void* config);
  void (*log)(Exchange&, const void* config);
  Destination (*destination)(const void* config);
  void (*encode)(const ExchangeRecord&, const void* config, std::string& out);
  bool (*reads_body)(const void* config);
  std::vector<std::string> (*secrets)(const void* config);
  std::vector<Entity> (*entities)();
};

/// The symbol that the host looks for in a plugin's shared object.
inline constexpr const char* kPluginEntryPoint = "gibbon_plugin";
using PluginEntryPoint = const PluginDescriptor* (*)();

namespace detail {

template <typename Handler, typename Config>
PluginDescriptor describe(const char* name, Schema (*schema)()) {
  PluginDescriptor d{};
  d.abi_version = kPluginAbiVersion;
  d.name = name;
  d.version = Handler::VERSION;
  d.priority = Handler::PRIORITY;
  d.failure_policy = Handler::FAILURE_POLICY;
  d.schema = schema;
  d.make_config = [](const ConfigView& view) -> void* { return new Config(view); };
  d.free_config = [](void* config) { delete static_cast<Config*>(config); };
  if constexpr (requires(std::string_view n, const Config& c) { Handler::certificate(n, c); })
    d.certificate = [](std::string_view n, const void* c) { Handler::certificate(n, *static_cast<const Config*>(c)); };
  if constexpr (requires(Exchange& e, const Config& c) { Handler::rewrite(e, c); })
    d.rewrite = [](Exchange& e, const void* c) { Handler::rewrite(e, *static_cast<const Config*>(c)); };
  if constexpr (requires(Exchange& e, const Config& c) { Handler::access(e, c); })
    d.access = [](Exchange& e, const void* c) { Handler::access(e, *static_cast<const Config*>(c)); };
  if constexpr (requires(Exchange& e, const Config& c) { Handler::header_filter(e, c); })
    d.header_filter = [](Exchange& e, const void* c) { Handler::header_filter(e, *static_cast<const Config*>(c)); };
  if constexpr (requires(Exchange& e, const BodyChunk& b, const Config& c) { Handler::body_filter(e, b, c); })
    d.body_filter = [](Exchange& e, const BodyChunk& b, const void* c) {
      Handler::body_filter(e, b, *static_cast<const Config*>(c));
    };
  if constexpr (requires(Exchange& e, const Config& c) { Handler::log(e, c); })
    d.log = [](Exchange& e, const void* c) { Handler::log(e, *static_cast<const Config*>(c)); };
  if constexpr (requires(const Config& c) { Handler::destination(c); })
    d.destination = [](const void* c) { return Handler::destination(*static_cast<const Config*>(c)); };
  if constexpr (requires(const ExchangeRecord& r, const Config& c, std::string& o) { Handler::encode(r, c, o); })
    d.encode = [](const ExchangeRecord& r, const void* c, std::string& o) {
      Handler::encode(r, *static_cast<const Config*>(c), o);
    };
  if constexpr (requires(const Config& c) { Handler::reads_body(c); })
    d.reads_body = [](const void* c) { return Handler::reads_body(*static_cast<const Config*>(c)); };
  if constexpr (requires(const Config& c) { Handler::secrets(c); })
    d.secrets = [](const void* c) { return Handler::secrets(*static_cast<const Config*>(c)); };
  if constexpr (requires { Handler::entities(); }) d.entities = Handler::entities;
  return d;
}

}  // namespace detail
}  // namespace gibbon

/// Makes `Handler` and `Config` a plugin called `name`; once in a shared object, at namespace scope.
#define GIBBON_PLUGIN(name, Handler, Config, schema)                                                      \
  extern "C" __attribute__((visibility("default"))) const ::gibbon::PluginDescriptor* gibbon_plugin() {   \
    static const ::gibbon::PluginDescriptor descriptor = ::gibbon::detail::describe<Handler, Config>(name, schema); \
    return &descriptor;                                                                                   \
  }
