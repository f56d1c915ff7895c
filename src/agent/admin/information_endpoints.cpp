// GET /: who this node is and what it runs with.
#include <unistd.h>

#include <array>
#include <set>

#include "agent/admin/api.hpp"
#include "agent/admin/reply.hpp"
#include "base/version.hpp"

namespace gibbon::agent {
namespace {

bool is_secret(std::string_view key) {
  return key.ends_with("password") || key.ends_with("_key") || key.ends_with("secret") ||
         key.ends_with("token");
}

json::object configuration(const Settings& settings) {
  json::object shown;
  for (const auto& [key, value] : settings.effective) {
    if (key == "declarative_config_string" && !value.empty()) {
      shown[key] = "******";
    } else if (is_secret(key) && !value.empty()) {
      shown[key] = "******";
    } else if (value == "on" || value == "off") {
      shown[key] = value == "on";
    } else {
      shown[key] = value;
    }
  }
  // Where Kong shows lists, so do we.
  const auto list = [&](const char* key, const std::vector<std::string>& values) {
    json::array items;
    for (const auto& value : values) items.emplace_back(value);
    shown[key] = std::move(items);
  };
  const auto listeners = [&](const char* key, const std::vector<Listener>& values) {
    std::vector<std::string> texts;
    for (const auto& value : values) texts.push_back(value.text());
    if (texts.empty()) texts.emplace_back("off");
    list(key, texts);
  };
  // The same taken apart, as Kong's clients read it.
  const auto parsed_listeners = [&](const char* key, const std::vector<Listener>& values) {
    json::array items;
    for (const Listener& value : values) {
      items.push_back({{"listener", value.text()}, {"ip", value.ip}, {"port", value.port}, {"ssl", value.ssl},
                       {"http2", value.http2}, {"proxy_protocol", value.proxy_protocol}, {"deferred", value.deferred},
                       {"bind", value.bind}, {"reuseport", value.reuseport}});
    }
    shown[key] = std::move(items);
  };
  parsed_listeners("proxy_listeners", settings.proxy_listen);
  parsed_listeners("admin_listeners", settings.admin_listen);
  parsed_listeners("status_listeners", settings.status_listen);
  listeners("proxy_listen", settings.proxy_listen);
  listeners("admin_listen", settings.admin_listen);
  listeners("status_listen", settings.status_listen);
  list("plugins", settings.plugins);
  list("headers", settings.headers);
  shown["database"] = settings.database;
  shown["prefix"] = settings.prefix;
  json::object loaded;
  for (const auto& name : settings.plugins) loaded[name] = true;
  shown["loaded_plugins"] = std::move(loaded);
  return shown;
}

}  // namespace

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
    body["lua_version"] = "none";
    body["tagline"] = "Welcome to gibbon";
    body["gibbon_version"] = kVersion;
    body["hostname"] = hostname.data();
    body["node_id"] = host.node_id();
    body["plugins"] = json::object{{"enabled_in_cluster", std::move(enabled)},
                                   {"available_on_server", std::move(available)}};
    body["pids"] =
        json::object{{"master", host.master_pid()}, {"workers", std::move(workers)}, {"agent", getpid()}};
    body["configuration"] = configuration(*host.settings());
    body["timers"] = json::object{{"running", 0}, {"pending", 0}};
    return json_reply(200, body);
  });
}

}  // namespace gibbon::agent
