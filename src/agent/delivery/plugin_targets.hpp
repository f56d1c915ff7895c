#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "agent/delivery/endpoint.hpp"
#include "config/snapshot.hpp"
#include "plugin/registry.hpp"
#include "record/record.hpp"

namespace gibbon::agent {

/// A plugin entity of a snapshot that delivers: how its records become entries, and where these go.
struct PluginTarget {
  plugin::ConfigObject config;
  json::object source;  ///< What `config` was made from.
  Endpoint* endpoint;
};

/// Finds the target of a record by the snapshot's generation and the plugin's id that the worker wrote into it.
/// Older generations are kept, since a request may run for long. Threads: the delivery thread.
class PluginTargets {
 public:
  using EndpointFor = std::function<Endpoint*(const Destination&)>;
  /// `plugins` must outlive it. A generation that nobody published is looked for in `shared_directory`.
  PluginTargets(const plugin::Registry& plugins, std::string shared_directory, EndpointFor endpoint_for)
      : plugins_(plugins), shared_directory_(std::move(shared_directory)), endpoint_for_(std::move(endpoint_for)) {}

  void add(std::shared_ptr<const config::Snapshot> snapshot);

  /// Null where no snapshot that is known has such a plugin.
  const PluginTarget* find(std::uint64_t generation, const config::Uuid& plugin);
  /// Gives a record the entities that it names, as they were in its generation; where that is known no longer, as they
  /// are in the newest one that is. The texts live until the next call of a function of this object.
  void show_entities(std::uint64_t generation, record::ParsedRecord& record) const;
  /// No snapshot is known yet: records should wait for one.
  [[nodiscard]] bool none() const { return generations_.empty(); }

 private:
  using Targets = std::map<config::Uuid, std::shared_ptr<const PluginTarget>>;
  std::shared_ptr<const PluginTarget> make(const config::Plugin& plugin);

  const plugin::Registry& plugins_;
  std::string shared_directory_;
  EndpointFor endpoint_for_;
  std::map<std::uint64_t, Targets> generations_;
  std::map<std::uint64_t, std::shared_ptr<const config::Snapshot>> shown_;  ///< The newest few.
  std::set<std::uint64_t> not_found_;  ///< Generations that could not be loaded.
  // The last answer: most records in a row come from one plugin.
  std::uint64_t last_generation_ = 0;
  config::Uuid last_plugin_{};
  const PluginTarget* last_ = nullptr;
};

}  // namespace gibbon::agent
