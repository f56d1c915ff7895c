#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "config/entities.hpp"
#include "plugin/registry.hpp"

/// Which plugin configuration runs for a request: one per plugin, by Kong's eight levels, the most specific first:
/// route+service+consumer, route+consumer, service+consumer, route+service, consumer, route, service, global.
namespace gibbon::gateway {

struct ChainItem {
  const PluginDescriptor* plugin;
  const void* config;         ///< What the plugin made of its configuration.
  config::Uuid plugin_id;     ///< Of the configuration (the plugin entity).
  const config::Plugin* entity;  ///< The configuration: of what the chains were built from.
  std::uint32_t ordinal;      ///< The plugin's place in Registry::all(): lower runs earlier.
};

/// The configurations that run, by falling priority: for each phase the ones whose plugin has a method for it.
/// Immutable; lives as long as its Chains.
class Chain {
 public:
  explicit Chain(std::vector<ChainItem> items, std::span<const ChainItem> global_items);

  /// Global configurations, whatever the route: these phases run before a route is known.
  [[nodiscard]] std::span<const ChainItem> certificate() const { return phases_[0]; }
  [[nodiscard]] std::span<const ChainItem> rewrite() const { return phases_[1]; }
  [[nodiscard]] std::span<const ChainItem> access() const { return phases_[2]; }
  [[nodiscard]] std::span<const ChainItem> response() const { return phases_[3]; }
  [[nodiscard]] std::span<const ChainItem> header_filter() const { return phases_[4]; }
  [[nodiscard]] std::span<const ChainItem> body_filter() const { return phases_[5]; }
  [[nodiscard]] std::span<const ChainItem> log() const { return phases_[6]; }
  /// Every configuration of the chain, one per plugin.
  [[nodiscard]] std::span<const ChainItem> all() const { return items_; }

 private:
  std::vector<ChainItem> items_;
  std::array<std::vector<ChainItem>, 7> phases_;
};

/// The chains of one snapshot. Equal chains are one object: ten thousand routes with global plugins alone share it.
/// Threads: immutable, but for for_consumer(), which only one thread may call.
class Chains {
 public:
  /// What cannot run is left out, with a line in `problems`: an unknown plugin, a configuration that its plugin
  /// refuses. `plugins` must live as long as the chains.
  static std::unique_ptr<Chains> build(std::span<const config::Plugin> plugins,
                                       std::span<const config::Route> routes, const plugin::Registry& registry,
                                       std::vector<Error>* problems);
  ~Chains();

  /// For requests without a route, and for the phases before one is known.
  [[nodiscard]] const Chain& global() const noexcept { return *global_; }
  [[nodiscard]] const Chain& route(std::uint32_t route) const noexcept { return *by_route_[route]; }
  /// The chain once a consumer is known (consumer_id as text); the route's own where nothing is configured for the
  /// consumer. The first call for a pair allocates, the next do not. Route kNone: no route.
  [[nodiscard]] const Chain& for_consumer(std::uint32_t route, std::string_view consumer_id) const;
  /// Goes on with a consumer in the middle of a request: `now` up to and with the plugin of `ordinal`, and the
  /// consumer's chain below it (Kong looks each configuration up when its turn comes). Allocates as for_consumer().
  [[nodiscard]] const Chain& continue_with(const Chain& now, std::uint32_t ordinal, std::uint32_t route,
                                           std::string_view consumer_id) const;
  /// All of a plugin's that can run, whatever they are for. They live as long as this does.
  [[nodiscard]] std::vector<const void*> configurations_of(const PluginDescriptor& plugin) const;
  /// Headers and query arguments that some configuration calls secrets, in lower case, each once.
  [[nodiscard]] const std::vector<std::string>& secret_names() const noexcept { return secret_names_; }

 private:
  struct Configuration;
  struct Scope { std::string route, service, consumer; };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  Chains();
  void add_secrets(const ChainItem& item);
  std::vector<ChainItem> select(const Scope& scope) const;
  const Chain* intern(std::vector<ChainItem> items) const;

  std::vector<Configuration> configurations_;
  /// Per plugin ordinal: "route/service/consumer" to an index of configurations_.
  std::vector<std::unordered_map<std::string, std::uint32_t>> by_scope_;
  std::vector<Scope> route_scopes_;
  mutable std::map<std::vector<config::Uuid>, std::unique_ptr<Chain>> chains_;  ///< By the ids of their items.
  mutable std::unordered_map<std::uint64_t, const Chain*> by_consumer_;  ///< By the route and the consumer's number.
  mutable std::map<std::tuple<const Chain*, std::uint32_t, const Chain*>, const Chain*> continued_;
  /// Consumers that something is configured for, numbered.
  std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> consumers_;
  std::vector<std::string> secret_names_;
  std::vector<ChainItem> global_items_;
  std::vector<const Chain*> by_route_;
  const Chain* global_ = nullptr;
};

}  // namespace gibbon::gateway
