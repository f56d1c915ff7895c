#include "agent/admin/configuration.hpp"

#include <algorithm>
#include <array>

#include "base/paths.hpp"
#include "config/settings_keys.hpp"
#include "config/settings_text.hpp"

namespace gibbon::agent {
namespace {

constexpr const char* kHidden = "******";

/// Kong's list: what may hold a secret, or lead to one.
bool is_secret(std::string_view key) {
  return key.ends_with("password") || key.ends_with("_key") || key.ends_with("secret") || key.ends_with("token") ||
         key == "proxy_server" || key == "declarative_config_string";
}

/// Keys that are nginx's own words: Kong shows "on" and "off".
bool is_word(std::string_view key) {
  constexpr std::array<std::string_view, 4> kWords{"nginx_daemon", "real_ip_recursive", "ssl_prefer_server_ciphers",
                                                   "ssl_session_tickets"};
  return std::ranges::find(kWords, key) != kWords.end();
}

json::array list_of(const std::vector<std::string>& values) {
  json::array list;
  for (const auto& value : values) list.emplace_back(value);
  return list;
}

/// Nothing where the key is not set.
std::optional<json::value> shown(std::string_view name, const std::string& text) {
  const auto* key = settings::find_key(name);
  const auto type = key == nullptr ? settings::Type::kString : key->type;
  if (is_secret(name))
    return text.empty() && type != settings::Type::kList ? std::nullopt : std::optional<json::value>(kHidden);
  if (type == settings::Type::kList) return json::value(list_of(settings::split_list(text)));
  if (text.empty()) return std::nullopt;
  if (type == settings::Type::kBoolean)
    if (const auto on = settings::parse_boolean(text)) {
      if (is_word(name)) return json::value(*on ? "on" : "off");
      return json::value(*on);
    }
  if (type == settings::Type::kNumber)
    if (const auto number = settings::parse_number(text)) {
      const auto whole = static_cast<std::int64_t>(*number);
      return static_cast<double>(whole) == *number ? json::value(whole) : json::value(*number);
    }
  return json::value(text);
}

/// A listener taken apart, with the names that Kong's clients know.
json::object listener_flags(const Listener& listener) {
  json::object flags{{"listener", listener.text()},
                     {"ip", listener.ip},
                     {"port", listener.port},
                     {"ssl", listener.ssl},
                     {"http2", listener.http2},
                     {"proxy_protocol", listener.proxy_protocol},
                     {"deferred", listener.deferred},
                     {"bind", listener.bind},
                     {"reuseport", listener.reuseport}};
  for (const char* value : {"on", "off"}) {
    flags[std::string("ipv6only=") + value] = listener.ipv6only == value;
    flags[std::string("so_keepalive=") + value] = listener.so_keepalive == value;
  }
  // Kong shows the pattern of a flag where it is not given, and the flag where it is.
  flags[listener.backlog ? "backlog=" + std::to_string(*listener.backlog) : "backlog=%d+"] = listener.backlog.has_value();
  const bool timed = listener.so_keepalive.find(':') != std::string::npos;
  flags["so_keepalive=" + (timed ? listener.so_keepalive : "%w*:%w*:%d*")] = timed;
  return flags;
}

void show_listeners(json::object& body, const std::string& name, const std::vector<Listener>& listeners) {
  json::array texts, parts;
  for (const auto& listener : listeners) {
    texts.emplace_back(listener.text());
    parts.push_back(listener_flags(listener));
  }
  if (texts.empty()) texts.emplace_back("off");
  body[name + "_listen"] = std::move(texts);
  body[name + "_listeners"] = std::move(parts);
  body[name + "_ssl_enabled"] = std::ranges::any_of(listeners, &Listener::ssl);
}

void show_directives(json::object& body, const std::string& family, const std::vector<Settings::Directive>& directives) {
  json::array list;
  for (const auto& directive : directives)
    list.push_back(json::object{{"name", directive.name}, {"value", directive.value}});
  body["nginx_" + family + "_directives"] = std::move(list);
}

/// Which headers the tokens of `headers` stand for.
json::object enabled_headers(const std::vector<std::string>& tokens) {
  const auto has = [&](std::string_view token) { return std::ranges::find(tokens, token) != tokens.end(); };
  const bool server = has("server_tokens"), latency = has("latency_tokens");
  return {{"server_tokens", server},
          {"latency_tokens", latency},
          {"Server", server || has("server")},
          {"Via", server || has("via")},
          {"X-Kong-Proxy-Latency", latency || has("x-kong-proxy-latency")},
          {"X-Kong-Response-Latency", latency || has("x-kong-response-latency")},
          {"X-Kong-Admin-Latency", latency || has("x-kong-admin-latency")},
          {"X-Kong-Upstream-Latency", latency || has("x-kong-upstream-latency")},
          {"X-Kong-Upstream-Status", has("x-kong-upstream-status")},
          {"X-Kong-Request-Id", has("x-kong-request-id")}};
}

}  // namespace

json::object shown_configuration(const Settings& settings, std::string_view log_level) {
  json::object body;
  for (const auto& [name, text] : settings.effective)
    if (auto value = shown(name, text)) body[name] = std::move(*value);
  show_listeners(body, "proxy", settings.proxy_listen);
  show_listeners(body, "admin", settings.admin_listen);
  show_listeners(body, "status", settings.status_listen);
  show_directives(body, "main", settings.main_directives);
  show_directives(body, "events", settings.events_directives);
  show_directives(body, "http", settings.http_directives);
  show_directives(body, "proxy", settings.proxy_directives);
  show_directives(body, "upstream", settings.upstream_directives);
  show_directives(body, "location", settings.location_directives);
  body["enabled_headers"] = enabled_headers(settings.headers);
  body["enabled_headers_upstream"] =
      json::object{{"X-Kong-Request-Id", !settings.headers_upstream.empty()}};
  if (!settings.admin_gui_origins.empty()) body["admin_gui_origin"] = list_of(settings.admin_gui_origins);
  json::object plugins;
  for (const auto& name : settings.plugins) plugins[name] = true;
  body["loaded_plugins"] = std::move(plugins);
  body["loaded_vaults"] = json::object{{"env", true}};
  body["database"] = settings.database;
  body["prefix"] = settings.prefix;
  body["log_level"] = log_level;
  const auto paths = Paths::of(settings.prefix);
  body["nginx_conf"] = paths.nginx_conf;
  body["nginx_pid"] = paths.pids + "/nginx.pid";
  body["kong_env"] = paths.settings;
  return body;
}

}  // namespace gibbon::agent
