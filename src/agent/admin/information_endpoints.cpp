// GET /: who this node is and what it runs with.
#include <unistd.h>

#include <array>
#include <set>

#include "agent/admin/api.hpp"
#include "agent/admin/configuration.hpp"
#include "agent/admin/reply.hpp"
#include "base/version.hpp"

namespace gibbon::agent {

void add_information_endpoints(Endpoints& endpoints, Host& host) {
  endpoints.add("GET", "/", [&host](Call&) {
    const auto catalog = host.catalog();
    json::object available;
    for (const auto* plugin : catalog->plugins().all())
      available[plugin->name] = json::object{{"version", plugin->version}, {"priority", plugin->priority}};
    std::set<std::string> in_use;
    const auto image = host.store().read();
    for (const auto& [id, row] : image->rows("plugins")) in_use.emplace(text_of(*row, "name"));
    json::array enabled;
    for (const auto& name : in_use) enabled.emplace_back(name);

    json::array workers;
    if (const auto* page = host.control())
      for (const auto& worker : page->workers)
        if (const auto pid = worker.pid.load(); pid != 0) workers.emplace_back(pid);

    std::array<char, 256> hostname{};
    gethostname(hostname.data(), hostname.size() - 1);
    json::object body;
    body["version"] = kKongVersion;
    body["edition"] = "community";
    body["tagline"] = "Welcome to gibbon";
    body["gibbon_version"] = kVersion;
    body["lua_version"] = "none";
    body["hostname"] = hostname.data();
    body["node_id"] = host.node_id();
    body["plugins"] = json::object{{"enabled_in_cluster", std::move(enabled)},
                                   {"available_on_server", std::move(available)}};
    body["pids"] =
        json::object{{"master", host.master_pid()}, {"workers", std::move(workers)}, {"agent", getpid()}};
    body["configuration"] = shown_configuration(*host.settings(), host.log_level());
    body["timers"] = json::object{{"running", 0}, {"pending", 0}};
    return json_reply(200, body);
  });
}

}  // namespace gibbon::agent
