#include "gateway/nginx/kit/node.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/version.hpp"
#include "gateway/nginx/worker.hpp"

namespace gibbon::nginx {

void LogAdapter::write(Level level, std::string_view message) {
  constexpr ngx_uint_t kLevels[] = {NGX_LOG_CRIT, NGX_LOG_ERR, NGX_LOG_WARN, NGX_LOG_NOTICE, NGX_LOG_INFO, NGX_LOG_DEBUG};
  const ngx_str_t text = str(message);
  ngx_log_t* log = caller_.log();
  const PluginDescriptor* plugin = caller_.plugin();
  ngx_log_error(kLevels[static_cast<std::size_t>(level)], log, 0, "[%s] %V", plugin != nullptr ? plugin->name : "gibbon", &text);
}

std::string_view NodeAdapter::id() const { return main_conf(const_cast<ngx_cycle_t*>(ngx_cycle))->node_id; }
std::string_view NodeAdapter::hostname() const { return view(const_cast<ngx_cycle_t*>(ngx_cycle)->hostname); }
std::string_view NodeAdapter::version() const { return kKongVersion; }
std::uint32_t NodeAdapter::worker_id() const { return static_cast<std::uint32_t>(ngx_worker); }

namespace {

gateway::CounterTable& counter_table() {
  gateway::CounterTable* table = worker() != nullptr ? worker()->counters() : nullptr;
  if (table == nullptr) throw std::runtime_error("there are no counters in this worker");
  return *table;
}

std::string_view name_of(const PluginDescriptor* plugin) { return plugin != nullptr ? plugin->name : ""; }

/// Throws where none's code runs.
const PluginDescriptor& calling_plugin(const Caller& caller) {
  if (caller.plugin() == nullptr) throw std::logic_error("no plugin runs");
  return *caller.plugin();
}

/// The workers' common clock: it never goes back.
std::int64_t clock_ms() { return static_cast<std::int64_t>(ngx_current_msec); }

}  // namespace

void NodeAdapter::after(std::chrono::milliseconds delay, Work work) {
  worker()->background().add(calling_plugin(caller_), delay, std::nullopt, std::move(work));
}
void NodeAdapter::every(std::chrono::milliseconds interval, Work work) {
  worker()->background().add(calling_plugin(caller_), interval, interval, std::move(work));
}
std::int64_t NodeAdapter::increment(std::string_view key, std::int64_t by, std::chrono::seconds ttl) {
  const std::int64_t ttl_ms = std::clamp<std::int64_t>(ttl.count(), 0, 1'000'000'000) * 1000;
  return counter_table().increment(name_of(caller_.plugin()), key, by, ttl_ms, clock_ms());
}
std::int64_t NodeAdapter::get(std::string_view key) const {
  return counter_table().get(name_of(caller_.plugin()), key, clock_ms());
}
void NodeAdapter::add(std::size_t family, std::span<const std::string_view> labels, double value) {
  if (worker() != nullptr && caller_.plugin() != nullptr)
    worker()->add_metric(*caller_.plugin(), family, labels, value);
}

}  // namespace gibbon::nginx
