#include "gateway/nginx/kit/node.hpp"

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

std::string_view NodeAdapter::id() const { return {}; }
std::string_view NodeAdapter::hostname() const { return view(const_cast<ngx_cycle_t*>(ngx_cycle)->hostname); }
std::string_view NodeAdapter::version() const { return kKongVersion; }
std::uint32_t NodeAdapter::worker_id() const { return static_cast<std::uint32_t>(ngx_worker); }
void NodeAdapter::after(std::chrono::milliseconds, Work) { throw std::logic_error("after() is not there yet"); }
void NodeAdapter::every(std::chrono::milliseconds, Work) { throw std::logic_error("every() is not there yet"); }
std::int64_t NodeAdapter::increment(std::string_view, std::int64_t, std::chrono::seconds) { throw std::logic_error("counters are not there yet"); }
std::int64_t NodeAdapter::get(std::string_view) const { return 0; }
void NodeAdapter::add(std::size_t, std::span<const std::string_view>, double) {}

}  // namespace gibbon::nginx
