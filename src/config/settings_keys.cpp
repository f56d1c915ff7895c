#include "config/settings_keys.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "config/settings.hpp"
#include "config/settings_text.hpp"

namespace gibbon::settings {

namespace {

using enum Type;
constexpr auto kIgnored = Use::kIgnored;

constexpr Key kKeys[] = {
    // Where, and how much is said.
    {"prefix", kString, "/usr/local/gibbon"},
    {"log_level", kString, "notice", "debug, info, notice, warn, error, crit, alert, emerg"},
    {"proxy_access_log", kString, "logs/access.log"},
    {"proxy_error_log", kString, "logs/error.log"},
    {"plugins", kList, "bundled"},
    {"plugin_path", kList},
    {"plugin_wait_timeout", kNumber, "60000"},
    {"error_default_type", kString, "text/plain", "application/json, application/xml, text/html, text/plain"},
    {"error_template_html"},
    {"error_template_json"},
    {"error_template_xml"},
    {"error_template_plain"},

    // Listeners.
    {"proxy_listen", kList,
     "0.0.0.0:8000 reuseport backlog=16384, 0.0.0.0:8443 http2 ssl reuseport backlog=16384"},
    {"admin_listen", kList,
     "127.0.0.1:8001 reuseport backlog=16384, 127.0.0.1:8444 http2 ssl reuseport backlog=16384"},
    {"status_listen", kList, "127.0.0.1:8007 reuseport backlog=16384"},
    {"admin_gui_url", kList},
    {"logs_listen", kList, "127.0.0.1:3000"},
    {"log_service", kBoolean, "off"},

    // Storage and memory.
    {"database", kString, "sqlite", "sqlite, off"},
    {"db_update_frequency", kNumber, "5"},
    {"declarative_config"},
    {"declarative_config_string"},
    {"ring_size", kSize, "32m"},
    {"spool_max_size", kSize, "1g"},

    // Headers and addresses.
    {"headers", kList, "server_tokens, latency_tokens, x-kong-request-id"},
    {"headers_upstream", kList, "x-kong-request-id"},
    {"trusted_ips", kList},
    {"real_ip_header", kString, "X-Real-IP"},
    {"real_ip_recursive", kBoolean, "off"},
    {"allow_debug_header", kBoolean, "off"},
    {"port_maps", kList},
    {"client_body_buffer_size", kSize, "8k"},

    // Upstreams and names.
    {"upstream_keepalive_pool_size", kNumber, "512"},
    {"upstream_keepalive_max_requests", kNumber, "10000"},
    {"upstream_keepalive_idle_timeout", kNumber, "60"},
    {"dns_resolver", kList},
    {"dns_hostsfile", kString, "/etc/hosts"},
    {"dns_order", kList, "LAST,SRV,A,CNAME"},
    {"dns_valid_ttl", kNumber},
    {"dns_stale_ttl", kNumber, "3600"},
    {"dns_not_found_ttl", kNumber, "30"},
    {"dns_error_ttl", kNumber, "1"},

    // TLS.
    {"ssl_cipher_suite", kString, "intermediate", "modern, intermediate, old, fips, custom"},
    {"ssl_ciphers"},
    {"ssl_protocols", kString, "TLSv1.2 TLSv1.3"},
    {"ssl_prefer_server_ciphers", kBoolean, "on"},
    {"ssl_session_tickets", kBoolean, "on"},
    {"ssl_session_timeout", kString, "1d"},
    {"ssl_session_cache_size", kSize, "10m"},
    {"ssl_cert", kList},
    {"ssl_cert_key", kList},
    {"client_ssl", kBoolean, "off"},
    {"client_ssl_cert"},
    {"client_ssl_cert_key"},
    {"admin_ssl_cert", kList},
    {"admin_ssl_cert_key", kList},
    {"admin_ssl_client_certificate"},
    {"admin_token"},
    {"admin_token_file"},
    {"status_ssl_cert", kList},
    {"status_ssl_cert_key", kList},
    {"lua_ssl_trusted_certificate", kList, "system"},
    {"lua_ssl_verify_depth", kNumber, "1"},

    // nginx.
    {"nginx_user", kString, "kong kong"},
    {"nginx_worker_processes", kString, "auto"},
    {"nginx_daemon", kBoolean, "on"},

    // Written by us, for a later reload.
    {"conf_file"},
    {"from_environment", kList},

    // The only way that stands.
    {"role", kString, "traditional", "traditional"},
    {"router_flavor", kString, "traditional_compatible", "traditional, traditional_compatible"},
    {"worker_consistency", kString, "eventual", "strict, eventual"},

    // Kong's own that have nothing to act on here.
    {"host_ports", kList, "", "", kIgnored},
    {"anonymous_reports", kBoolean, "off", "", kIgnored},
    {"proxy_server", kString, "", "", kIgnored},
    {"proxy_server_ssl_verify", kBoolean, "on", "", kIgnored},
    {"proxy_stream_access_log", kString, "logs/access.log basic", "", kIgnored},
    {"proxy_stream_error_log", kString, "logs/error.log", "", kIgnored},
    {"node_id", kString, "", "", kIgnored},
    {"stream_listen", kList, "off", "", kIgnored},
    {"vaults", kList, "bundled", "", kIgnored},
    {"ssl_dhparam", kString, "", "", kIgnored},
    {"worker_events_max_payload", kNumber, "65535", "", kIgnored},
    {"worker_state_update_frequency", kNumber, "5", "", kIgnored},
    {"dedicated_config_processing", kBoolean, "on", "", kIgnored},
    {"privileged_agent", kBoolean, "on", "", kIgnored},
    {"db_update_propagation", kNumber, "0", "", kIgnored},
    {"db_cache_ttl", kNumber, "0", "", kIgnored},
    {"db_cache_neg_ttl", kNumber, "", "", kIgnored},
    {"db_resurrect_ttl", kNumber, "30", "", kIgnored},
    {"db_cache_warmup_entities", kList, "services", "", kIgnored},
    {"dns_cache_size", kNumber, "10000", "", kIgnored},
    {"dns_no_sync", kBoolean, "off", "", kIgnored},
    {"new_dns_client", kBoolean, "off", "", kIgnored},
    {"kic", kBoolean, "off", "", kIgnored},
    {"wasm", kBoolean, "off", "", kIgnored},
    {"request_debug", kBoolean, "on", "", kIgnored},
    {"request_debug_token", kString, "", "", kIgnored},
    {"openresty_path", kString, "", "", kIgnored},
    {"admin_access_log", kString, "logs/admin_access.log", "", kIgnored},
    {"admin_error_log", kString, "logs/error.log", "", kIgnored},
    {"status_access_log", kString, "off", "", kIgnored},
    {"status_error_log", kString, "logs/status_error.log", "", kIgnored},
    {"mem_cache_size", kSize, "128m", "", kIgnored},
    {"konnect_mode", kBoolean, "off", "", kIgnored},
};

constexpr std::string_view kDirectiveFamilies[] = {"nginx_main_",  "nginx_events_",   "nginx_http_",
                                                   "nginx_proxy_", "nginx_upstream_", "nginx_location_"};

constexpr std::string_view kIgnoredFamilies[] = {
    "nginx_admin_",  "nginx_status_", "nginx_stream_", "nginx_supstream_", "nginx_sproxy_", "nginx_wasm_",
    "pluginserver_", "vault_",        "pg_",           "cluster_",         "admin_gui_",    "lmdb_",
    "lua_",          "resolver_",     "untrusted_lua", "opentelemetry_",   "tracing_",      "wasm_",
    "cassandra_",    "_debug_"};

/// How many single-character changes turn one into the other (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string quoted(std::string_view key, std::string_view text, std::string_view value) {
  return std::string(key) + std::string(text) + "'" + std::string(value) + "'";
}

}  // namespace

std::span<const Key> keys() { return kKeys; }

const Key* find_key(std::string_view name) {
  const auto found = std::ranges::find(kKeys, name, &Key::name);
  return found == std::end(kKeys) ? nullptr : &*found;
}

bool is_directive(std::string_view name) {
  return std::ranges::any_of(kDirectiveFamilies, [&](std::string_view family) {
    return name.starts_with(family) && name.size() > family.size();
  });
}

bool is_ignored_family(std::string_view name) {
  return std::ranges::any_of(kIgnoredFamilies,
                             [&](std::string_view family) { return name.starts_with(family); });
}

std::string closest_key(std::string_view name) {
  std::size_t best = std::max<std::size_t>(2, name.size() / 4) + 1;
  std::string_view closest;
  for (const Key& key : kKeys) {
    const std::size_t found = distance(name, key.name);
    if (found < best) {
      best = found;
      closest = key.name;
    }
  }
  return std::string(closest);
}

std::string problem(const Key& key, std::string_view value) {
  if (value.empty()) return {};
  switch (key.type) {
    case kBoolean:
      if (!parse_boolean(value)) return quoted(key.name, " is not a boolean: ", value);
      break;
    case kNumber:
      if (!parse_number(value)) return quoted(key.name, " is not a number: ", value);
      break;
    case kSize:
      if (!parse_size(value))
        return quoted(key.name, " is not a size (a number, or one with k, m or g): ", value);
      break;
    case kString:
    case kList:
      break;
  }
  if (key.choices.empty()) return {};
  const auto choices = split_list(key.choices);
  if (std::ranges::find(choices, value) != choices.end()) return {};
  return quoted(key.name, " has an invalid value: ", value) + " (" + std::string(key.choices) + ")";
}

}  // namespace gibbon::settings
