#include "gateway/chain/chain.hpp"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "base/ascii.hpp"

namespace gibbon::gateway {
namespace {

std::string scope_key(std::string_view route, std::string_view service, std::string_view consumer) {
  std::string key(route);
  key += '/';
  key += service;
  key += '/';
  key += consumer;
  return key;
}

/// Kong's PROTOCOLS_WITH_SUBSYSTEM: a configuration for stream protocols alone never runs here.
bool runs_on_http(const config::Plugin& plugin) {
  return plugin.protocols.empty() ||
         std::any_of(plugin.protocols.begin(), plugin.protocols.end(), [](const std::string& protocol) {
           return protocol == "http" || protocol == "https" || protocol == "grpc" || protocol == "grpcs";
         });
}

}  // namespace

Chain::Chain(std::vector<ChainItem> items, std::span<const ChainItem> global_items) : items_(std::move(items)) {
  for (const ChainItem& item : global_items) {
    if (item.plugin->certificate != nullptr) phases_[0].push_back(item);
    if (item.plugin->rewrite != nullptr) phases_[1].push_back(item);
  }
  for (const ChainItem& item : items_) {
    if (item.plugin->access != nullptr) phases_[2].push_back(item);
    if (item.plugin->response != nullptr) phases_[3].push_back(item);
    if (item.plugin->header_filter != nullptr) phases_[4].push_back(item);
    if (item.plugin->body_filter != nullptr) phases_[5].push_back(item);
    if (item.plugin->log != nullptr) phases_[6].push_back(item);
  }
}

/// A plugin entity that can run.
struct Chains::Configuration {
  ChainItem item;
  plugin::ConfigObject object;
};

std::vector<const void*> Chains::configurations_of(const PluginDescriptor& plugin) const {
  std::vector<const void*> found;
  for (const Configuration& configuration : configurations_)
    if (configuration.item.plugin == &plugin) found.push_back(configuration.item.config);
  return found;
}

Chains::Chains() = default;
Chains::~Chains() = default;

std::unique_ptr<Chains> Chains::build(std::span<const config::Plugin> plugins, std::span<const config::Route> routes,
                                      const plugin::Registry& registry, std::vector<Error>* problems) {
  std::unique_ptr<Chains> chains(new Chains());
  const auto report = [problems](const config::Plugin& plugin, const std::string& what) {
    if (problems == nullptr) return;
    problems->push_back({"plugin configuration " + plugin.id + " is left out: " + what, "config"});
  };
  chains->by_scope_.resize(registry.all().size());
  for (const config::Plugin& plugin : plugins) {
    if (!plugin.enabled || !runs_on_http(plugin)) continue;
    const auto& all = registry.all();
    const auto found =
        std::find_if(all.begin(), all.end(), [&plugin](const auto* each) { return each->name == plugin.name; });
    if (found == all.end()) {
      report(plugin, "plugin '" + plugin.name + "' not enabled; add it to the 'plugins' configuration property");
      continue;
    }
    const std::optional<config::Uuid> id = config::parse_uuid(plugin.id);
    if (!id) {
      report(plugin, "its id is no UUID");
      continue;
    }
    Result<plugin::ConfigObject> object = plugin::ConfigObject::make(**found, plugin.config);
    if (!object) {
      report(plugin, object.error().message);
      continue;
    }
    const auto ordinal = static_cast<std::uint32_t>(found - all.begin());
    const auto index = static_cast<std::uint32_t>(chains->configurations_.size());
    const std::string key = scope_key(plugin.route_id, plugin.service_id, plugin.consumer_id);
    if (!chains->by_scope_[ordinal].emplace(key, index).second) {
      report(plugin, "plugin '" + plugin.name + "' has another configuration for the same route, service and consumer");
      continue;
    }
    const ChainItem item{*found, object->get(), *id, &plugin, ordinal};
    chains->add_secrets(item);
    chains->configurations_.push_back({item, std::move(object).value()});
    if (!plugin.consumer_id.empty())
      chains->consumers_.emplace(plugin.consumer_id, static_cast<std::uint32_t>(chains->consumers_.size()));
  }
  chains->global_items_ = chains->select({});
  chains->global_ = chains->intern(chains->global_items_);
  std::unordered_set<std::string_view> named;  // Routes and services that some configuration names.
  for (const config::Plugin& plugin : plugins) named.insert({plugin.route_id, plugin.service_id});
  for (const config::Route& route : routes) {
    chains->route_scopes_.push_back({route.id, route.service_id, {}});
    const bool has_own = named.contains(route.id) || (!route.service_id.empty() && named.contains(route.service_id));
    chains->by_route_.push_back(has_own ? chains->intern(chains->select(chains->route_scopes_.back())) : chains->global_);
  }
  return chains;
}

void Chains::add_secrets(const ChainItem& item) {
  if (item.plugin->secrets == nullptr) return;
  for (const std::string& name : item.plugin->secrets(item.config)) {
    std::string lower = ascii_lower(name);
    if (std::find(secret_names_.begin(), secret_names_.end(), lower) == secret_names_.end())
      secret_names_.push_back(std::move(lower));
  }
}

std::vector<ChainItem> Chains::select(const Scope& scope) const {
  const std::string_view route = scope.route, service = scope.service, consumer = scope.consumer, none;
  const struct { std::string_view route, service, consumer; } levels[] = {
      {route, service, consumer}, {route, none, consumer}, {none, service, consumer}, {route, service, none},
      {none, none, consumer},     {route, none, none},     {none, service, none},     {none, none, none}};
  std::vector<std::string> keys;
  for (const auto& level : levels) {
    std::string key = scope_key(level.route, level.service, level.consumer);
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
  }
  std::vector<ChainItem> items;
  for (const auto& scopes : by_scope_) {
    if (scopes.empty()) continue;
    for (const std::string& key : keys) {
      const auto found = scopes.find(key);
      if (found == scopes.end()) continue;
      items.push_back(configurations_[found->second].item);
      break;
    }
  }
  return items;
}

const Chain* Chains::intern(std::vector<ChainItem> items) const {
  std::vector<config::Uuid> key;
  for (const ChainItem& item : items) key.push_back(item.plugin_id);
  std::unique_ptr<Chain>& chain = chains_[std::move(key)];
  if (chain == nullptr) chain = std::make_unique<Chain>(std::move(items), global_items_);
  return chain.get();
}

const Chain& Chains::for_consumer(std::uint32_t route, std::string_view consumer_id) const {
  const Chain* base = route == UINT32_MAX ? global_ : by_route_[route];
  const auto consumer = consumers_.find(consumer_id);
  if (consumer == consumers_.end()) return *base;
  const Chain*& chain = by_consumer_[std::uint64_t{route} << 32 | consumer->second];
  if (chain == nullptr) {
    Scope scope = route == UINT32_MAX ? Scope{} : route_scopes_[route];
    scope.consumer = consumer_id;
    chain = intern(select(scope));
  }
  return *chain;
}

const Chain& Chains::continue_with(const Chain& now, std::uint32_t ordinal, std::uint32_t route,
                                   std::string_view consumer_id) const {
  const Chain& next = for_consumer(route, consumer_id);
  if (&next == &now) return now;
  const Chain*& chain = continued_[{&now, ordinal, &next}];
  if (chain == nullptr) {
    std::vector<ChainItem> items;
    for (const ChainItem& item : now.all())
      if (item.ordinal <= ordinal) items.push_back(item);
    for (const ChainItem& item : next.all())
      if (item.ordinal > ordinal) items.push_back(item);
    chain = intern(std::move(items));
  }
  return *chain;
}

}  // namespace gibbon::gateway
