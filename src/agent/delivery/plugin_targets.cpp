#include "agent/delivery/plugin_targets.hpp"

#include <spdlog/spdlog.h>

#include <exception>

namespace gibbon::agent {
namespace {
constexpr std::size_t kKeptGenerations = 64;
}

std::shared_ptr<const PluginTarget> PluginTargets::make(const config::Plugin& plugin) {
  const PluginDescriptor* descriptor = plugins_.find(plugin.name);
  if (descriptor == nullptr || descriptor->encode == nullptr || descriptor->destination == nullptr) return nullptr;
  try {
    Result<plugin::ConfigObject> config = plugin::ConfigObject::make(*descriptor, plugin.config);
    if (!config) {
      spdlog::error("plugin {} ({}) cannot deliver: {}", plugin.name, plugin.id, config.error().message);
      return nullptr;
    }
    // A destination goes to disk: it is made of the configuration as stored, with references instead of secrets.
    const json::object& stored = plugin.config_with_references.empty() ? plugin.config : plugin.config_with_references;
    Result<plugin::ConfigObject> as_stored = plugin::ConfigObject::make(*descriptor, stored);
    if (!as_stored) return nullptr;
    Endpoint* endpoint = endpoint_for_(descriptor->destination(as_stored->get()));
    return std::make_shared<const PluginTarget>(PluginTarget{std::move(*config), plugin.config, endpoint});
  } catch (const std::exception& error) {
    spdlog::error("plugin {} ({}) cannot deliver: {}", plugin.name, plugin.id, error.what());
    return nullptr;
  }
}

void PluginTargets::add(const config::Snapshot& snapshot) {
  if (generations_.contains(snapshot.generation)) return;
  const Targets* newest = generations_.empty() ? nullptr : &generations_.rbegin()->second;
  Targets targets;
  for (const config::Plugin& plugin : snapshot.plugins) {
    const auto id = config::parse_uuid(plugin.id);
    if (!id) continue;
    std::shared_ptr<const PluginTarget> target;
    if (newest != nullptr) {
      const auto known = newest->find(*id);
      if (known != newest->end() && known->second->source == plugin.config &&
          plugin.name == known->second->config.plugin().name)
        target = known->second;
    }
    if (!target) target = make(plugin);
    if (target) targets.emplace(*id, std::move(target));
  }
  generations_.emplace(snapshot.generation, std::move(targets));
  not_found_.erase(snapshot.generation);
  if (generations_.size() > kKeptGenerations) generations_.erase(generations_.begin());
  last_ = nullptr;
}

const PluginTarget* PluginTargets::find(std::uint64_t generation, const config::Uuid& plugin) {
  if (last_ != nullptr && generation == last_generation_ && plugin == last_plugin_) return last_;
  auto found = generations_.find(generation);
  if (found == generations_.end() && !not_found_.contains(generation)) {
    if (Result<config::Snapshot> loaded = config::load_snapshot(shared_directory_, generation)) {
      add(*loaded);
      found = generations_.find(generation);
    } else {
      not_found_.insert(generation);
    }
  }
  const PluginTarget* target = nullptr;
  const auto look = [&](const Targets& targets) {
    const auto it = targets.find(plugin);
    if (it != targets.end()) target = it->second.get();
    return target != nullptr;
  };
  if (found != generations_.end()) {
    look(found->second);
  } else {
    // The snapshot is gone: the plugin as it is now, or as it last was.
    for (auto it = generations_.rbegin(); it != generations_.rend(); ++it)
      if (look(it->second)) break;
  }
  last_generation_ = generation;
  last_plugin_ = plugin;
  last_ = target;
  return target;
}

}  // namespace gibbon::agent
