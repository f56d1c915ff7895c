// /status, /status/ready and /metrics: what monitoring asks for.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <iterator>

#include "agent/admin/api.hpp"
#include "agent/admin/reply.hpp"
#include "agent/plugin_metrics.hpp"
#include "agent/upstream_health.hpp"
#include "base/version.hpp"

namespace gibbon::agent {
namespace {

struct Connections {
  std::int64_t accepted = 0, handled = 0, active = 0, reading = 0, writing = 0, waiting = 0, requests = 0;
};

Connections connections(const config::ControlPage* page) {
  Connections now;
  if (page == nullptr) return now;
  const auto& shared = page->connections;
  now.accepted = shared.accepted;
  now.handled = shared.handled;
  now.active = shared.active;
  now.reading = shared.reading;
  now.writing = shared.writing;
  now.waiting = shared.waiting;
  now.requests = shared.requests;
  return now;
}

std::vector<std::uint32_t> workers(const config::ControlPage* page) {
  std::vector<std::uint32_t> pids;
  if (page != nullptr)
    for (const auto& worker : page->workers)
      if (const auto pid = worker.pid.load(); pid != 0) pids.push_back(pid);
  return pids;
}

/// The process's resident memory; 0 where it is gone.
std::uint64_t resident_bytes(std::uint32_t pid) {
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  std::uint64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// Kong's `unit` (b, k, m, g) and `scale` (digits) of /status.
std::string sized(std::uint64_t bytes, char unit, int scale) {
  if (unit == 'b') return std::to_string(bytes);
  const auto number = static_cast<double>(bytes);
  if (unit == 'k') return fmt::format("{:.{}f} KiB", number / 1024, scale);
  if (unit == 'g') return fmt::format("{:.{}f} GiB", number / 1024 / 1024 / 1024, scale);
  return fmt::format("{:.{}f} MiB", number / 1024 / 1024, scale);
}

/// How many digits sizes have; what is no number counts as missing.
int scale_of(const Call& call) {
  constexpr int kDefault = 2, kMost = 9;
  const auto text = call.argument("scale").value_or("");
  int scale = kDefault;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), scale);
  return error == std::errc() && end == text.data() + text.size() ? std::min(scale, kMost) : kDefault;
}

http::Response status(Host& host, const Call& call) {
  const auto unit = call.argument("unit").value_or("m");
  if (unit.size() != 1 || std::string_view("bkmgBKMG").find(unit[0]) == std::string_view::npos)
    return message_reply(400, fmt::format("invalid unit '{}' (expected 'k/K', 'm/M', or 'g/G')", unit));
  const char unit_letter = static_cast<char>(unit[0] | 0x20);
  const auto scale = scale_of(call);
  if (scale < 0) return message_reply(400, "scale must be equal or greater than 0");

  const auto* page = host.control();
  json::array memory;
  for (const auto pid : workers(page))
    memory.push_back(
        json::object{{"pid", pid}, {"http_allocated_gc", sized(resident_bytes(pid), unit_letter, scale)}});
  const auto now = connections(page);
  json::object body;
  body["memory"] = json::object{{"workers_lua_vms", std::move(memory)}, {"lua_shared_dicts", json::object()}};
  body["server"] = json::object{{"connections_accepted", now.accepted}, {"connections_handled", now.handled},
                                {"connections_active", now.active},     {"connections_reading", now.reading},
                                {"connections_writing", now.writing},   {"connections_waiting", now.waiting},
                                {"total_requests", now.requests}};
  if (host.store().writable()) {
    body["database"] = json::object{{"reachable", true}};
  } else {
    body["configuration_hash"] = host.current_hash();
  }
  auto gibbon = host.delivery_status();
  gibbon["version"] = kVersion;
  if (page != nullptr) gibbon["generation"] = page->generation.load();
  body["gibbon"] = std::move(gibbon);
  return json_reply(200, body);
}

std::string nginx_metrics(Host& host) {
  const auto now = connections(host.control());
  std::string out =
      "# HELP kong_nginx_connections_total Number of connections by state.\n"
      "# TYPE kong_nginx_connections_total gauge\n";
  const auto state = [&](const char* name, std::int64_t value) {
    out += fmt::format("kong_nginx_connections_total{{node_id=\"{}\",subsystem=\"http\",state=\"{}\"}} {}\n",
                       host.node_id(), name, value);
  };
  state("accepted", now.accepted);
  state("active", now.active);
  state("handled", now.handled);
  state("reading", now.reading);
  state("total", now.requests);
  state("waiting", now.waiting);
  state("writing", now.writing);
  out += fmt::format(
      "# HELP kong_nginx_requests_total Requests that nginx has begun.\n"
      "# TYPE kong_nginx_requests_total counter\n"
      "kong_nginx_requests_total{{node_id=\"{0}\",subsystem=\"http\"}} {1}\n"
      "# HELP kong_datastore_reachable The configuration store answers: 1, it does not: 0.\n"
      "# TYPE kong_datastore_reachable gauge\n"
      "kong_datastore_reachable 1\n"
      "# HELP kong_node_info Which node this is, and which version of Kong it follows.\n"
      "# TYPE kong_node_info gauge\n"
      "kong_node_info{{node_id=\"{0}\",version=\"{2}\"}} 1\n"
      "# HELP gibbon_build_info Which build of Gibbon this is.\n"
      "# TYPE gibbon_build_info gauge\n"
      "gibbon_build_info{{version=\"{3}\"}} 1\n",
      host.node_id(), now.requests, kKongVersion, kVersion);
  out +=
      "# HELP kong_memory_workers_lua_vms_bytes Resident memory of a worker: there is no Lua in it.\n"
      "# TYPE kong_memory_workers_lua_vms_bytes gauge\n";
  for (const auto pid : workers(host.control()))
    out += fmt::format("kong_memory_workers_lua_vms_bytes{{node_id=\"{}\",pid=\"{}\",kong_subsystem=\"http\"}} {}\n",
                       host.node_id(), pid, resident_bytes(pid));
  if (const auto* page = host.control())
    out += fmt::format(
        "# HELP gibbon_configuration_generation The configuration that was published last.\n"
        "# TYPE gibbon_configuration_generation gauge\n"
        "gibbon_configuration_generation {}\n",
        page->generation.load());
  return out;
}

/// Why whoever spreads traffic should leave this gateway out; empty: it should not.
std::string why_not_ready(Host& host) {
  if (host.draining()) return "draining";
  if (!host.ready()) return "router builds not yet complete";
  if (host.store().writable()) return "";
  int running = 0, applying = 0;
  if (const auto* page = host.control())
    for (const auto& worker : page->workers) {
      if (worker.pid.load() == 0) continue;
      ++running;
      if (worker.applied.load() != 0) ++applying;
    }
  if (applying < running)
    return fmt::format("router builds not yet complete, router ready in {} of {} workers", applying, running);
  return host.current_hash() == kEmptyConfigurationHash
             ? "no configuration available (empty configuration present)"
             : "";
}

}  // namespace

void add_status_endpoints(Endpoints& endpoints, Host& host) {
  endpoints.add("GET", "/status", [&host](Call& call) { return status(host, call); });
  endpoints.add("GET", "/metrics", [&host](Call&) {
    http::Response response;
    response.headers.push_back({"Content-Type", "text/plain; charset=UTF-8"});
    response.body = nginx_metrics(host) + upstream_metrics(host) + plugin_metrics(host) + host.delivery_metrics();
    return response;
  });
}

void add_ready_endpoint(Endpoints& endpoints, Host& host) {
  endpoints.add("GET", "/status/ready", [&host](Call&) {
    const auto why = why_not_ready(host);
    return why.empty() ? message_reply(200, "ready") : message_reply(503, why);
  });
  endpoints.add("POST", "/status/ready", [&host](Call& call) {
    const auto given = call.body.field("status");
    if ((given ? given : call.argument("status")) != "draining") return bare_reply(400);
    host.drain();
    return no_content_reply();
  });
}

}  // namespace gibbon::agent
