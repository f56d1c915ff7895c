// What Kong's API has of a node's inner life. Where nothing of the kind is here (a cache, timers, a cluster), the
// answer is that of a Kong in which it is empty.
#include <charconv>
#include <cmath>

#include "agent/admin/api.hpp"
#include "agent/admin/reply.hpp"
#include "agent/log_level.hpp"
#include "base/json_text.hpp"

namespace gibbon::agent {
namespace {

constexpr int kDefaultLogLevelSeconds = 60;

http::Response not_a_control_plane(Call&) {
  return message_reply(400,
                       "this endpoint is only available when Kong is configured to run as Control Plane for the cluster");
}

/// Kong's `timeout` in seconds, rounded up.
std::optional<double> seconds_of(const Call& call) {
  auto text = call.argument("timeout");
  if (!text) text = call.body.field("timeout");
  if (const auto* object = std::get_if<json::object>(&call.body.content); !text && object != nullptr)
    if (const auto* value = object->if_contains("timeout"); value != nullptr && value->is_number())
      text = to_text(*value);
  if (!text) return kDefaultLogLevelSeconds;
  double number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return kDefaultLogLevelSeconds;
  return number < 0 ? std::nullopt : std::optional(std::min(std::ceil(number), 1e9));
}

http::Response set_level(Host& host, Call& call) {
  const auto& level = call.params["log_level"];
  if (!host.store().writable()) return message_reply(405, "cannot change log level when not using a database");
  if (LogLevel::number(level) == 0) return message_reply(400, "unknown log level: " + level);
  const auto seconds = seconds_of(call);
  if (!seconds) return message_reply(400, "timeout must be greater than or equal to 0");
  if (host.log_level() == level) return message_reply(200, "log level is already " + level);
  host.set_log_level(level, std::chrono::seconds(static_cast<std::int64_t>(*seconds)));
  return message_reply(200, "log level changed");
}

/// Filters in WebAssembly, as of a Kong that runs none.
void add_filter_endpoints(Endpoints& endpoints) {
  const auto none = message_reply(400, "this endpoint is only available when wasm is enabled");
  for (const char* path : {"/filter-chains", "/filter-chains/{filter_chains}", "/filter-chains/{filter_chains}/route",
                           "/filter-chains/{filter_chains}/service", "/routes/{routes}/filter-chains",
                           "/routes/{routes}/filter-chains/{filter_chains}", "/services/{services}/filter-chains",
                           "/services/{services}/filter-chains/{filter_chains}", "/routes/{routes}/filters/all",
                           "/routes/{routes}/filters/enabled", "/routes/{routes}/filters/disabled"})
    endpoints.refuse(path, none);
  endpoints.add("GET", "/schemas/filters/{name}", [](Call& call) {
    return message_reply(404, "Filter '" + call.params["name"] + "' not found");
  });
}

}  // namespace

void add_dns_endpoint(Endpoints& endpoints) {
  endpoints.add("GET", "/status/dns",
                [](Call&) { return message_reply(501, "not implemented with the legacy DNS client"); });
}

void add_node_endpoints(Endpoints& endpoints, Host& host) {
  endpoints.add("DELETE", "/cache", [](Call&) { return no_content_reply(); });
  endpoints.add("GET", "/cache/{key}", [](Call&) { return not_found_reply(); });
  endpoints.add("DELETE", "/cache/{key}", [](Call&) { return no_content_reply(); });
  endpoints.add("GET", "/clustering/data-planes", not_a_control_plane);
  endpoints.add("GET", "/clustering/status", not_a_control_plane);
  endpoints.add("GET", "/timers", [&host](Call&) {
    int workers = 0;
    if (const auto* page = host.control())
      for (const auto& worker : page->workers) workers += worker.pid.load() != 0 ? 1 : 0;
    const json::object none{{"total", 0}, {"runs", 0}, {"running", 0}, {"pending", 0}, {"waiting", 0}};
    const json::object flamegraph{{"running", ""}, {"pending", ""}, {"elapsed_time", ""}};
    return json_reply(200, json::object{{"worker", {{"id", 0}, {"count", workers}}},
                                        {"stats", {{"sys", none}, {"timers", json::object()}, {"flamegraph", flamegraph}}}});
  });
  endpoints.add("GET", "/debug/node/log-level",
                [&host](Call&) { return message_reply(200, "log level: " + host.log_level()); });
  for (const char* path : {"/debug/node/log-level/{log_level}", "/debug/cluster/log-level/{log_level}"})
    endpoints.add("PUT", path, [&host](Call& call) { return set_level(host, call); });
  add_filter_endpoints(endpoints);
}

}  // namespace gibbon::agent
