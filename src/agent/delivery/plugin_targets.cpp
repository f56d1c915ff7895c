#include "agent/delivery/plugin_targets.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>

namespace gibbon::agent {
namespace {
constexpr std::size_t kKeptGenerations = 64;
constexpr std::size_t kShownGenerations = 4;

/// Of entities that stand by their ids.
template <typename Entity>
std::string_view shown_text(const std::vector<Entity>& entities, std::string_view id) {
  if (id.empty()) return {};
  const auto at = std::lower_bound(entities.begin(), entities.end(), id,
                                   [](const Entity& entity, std::string_view wanted) { return entity.id < wanted; });
  if (at == entities.end() || at->id != id || at->shown == nullptr) return {};
  return *at->shown;
}
}

std::shared_ptr<const PluginTarget> PluginTargets::make(const config::Plugin& plugin) {
  const PluginDescriptor* descriptor = plugins_.find(plugin.name);
  if (descriptor == nullptr || descriptor->destination == nullptr) return nullptr;
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

void PluginTargets::add(std::shared_ptr<const config::Snapshot> added) {
  const config::Snapshot& snapshot = *added;
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
  shown_.emplace(snapshot.generation, std::move(added));
  if (shown_.size() > kShownGenerations) shown_.erase(shown_.begin());
  last_ = nullptr;
}

void PluginTargets::show_entities(std::uint64_t generation, record::ParsedRecord& record) const {
  if (shown_.empty()) return;
  const auto same = shown_.find(generation);
  const config::Snapshot& snapshot = same != shown_.end() ? *same->second : *shown_.rbegin()->second;
  const ExchangeRecord& e = record.exchange();
  record.set_entities(shown_text(snapshot.services, e.service_id), shown_text(snapshot.routes, e.route_id),
                      shown_text(snapshot.consumers, e.consumer_id));
}

const PluginTarget* PluginTargets::find(std::uint64_t generation, const config::Uuid& plugin) {
  if (last_ != nullptr && generation == last_generation_ && plugin == last_plugin_) return last_;
  auto found = generations_.find(generation);
  if (found == generations_.end() && !not_found_.contains(generation)) {
    if (Result<config::Snapshot> loaded =
            config::load_snapshot(shared_directory_, generation, config::ShownTexts::kKept)) {
      add(std::make_shared<const config::Snapshot>(std::move(*loaded)));
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
