#include "config/settings.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/bundle.hpp"
#include "base/installation.hpp"
#include "config/settings_keys.hpp"
#include "config/settings_text.hpp"

namespace gibbon {

namespace {

using settings::Key;
using settings::split_list;
using settings::trim;
using Values = Settings::Values;

/// Half of the slots in shared memory: at a reload old and new workers stand side by side.
constexpr double kMaxWorkers = 128;

/// Keys that are another name for a directive. As in Kong, the directive's name wins.
constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"nginx_main_user", "nginx_user"},
    {"nginx_main_daemon", "nginx_daemon"},
    {"nginx_main_worker_processes", "nginx_worker_processes"},
    {"nginx_proxy_real_ip_header", "real_ip_header"},
    {"nginx_proxy_real_ip_recursive", "real_ip_recursive"},
    {"nginx_http_client_body_buffer_size", "client_body_buffer_size"},
    {"nginx_http_ssl_protocols", "ssl_protocols"},
    {"nginx_http_ssl_prefer_server_ciphers", "ssl_prefer_server_ciphers"},
    {"nginx_http_ssl_session_tickets", "ssl_session_tickets"},
    {"nginx_http_ssl_session_timeout", "ssl_session_timeout"},
};

constexpr std::pair<std::string_view, std::string_view> kDirectiveDefaults[] = {
    {"nginx_main_worker_rlimit_nofile", "auto"}, {"nginx_events_worker_connections", "auto"},
    {"nginx_events_multi_accept", "on"},         {"nginx_http_charset", "UTF-8"},
    {"nginx_http_client_max_body_size", "0"},    {"nginx_http_keepalive_requests", "10000"},
};

constexpr std::string_view kHeaders[] = {"server_tokens",
                                         "latency_tokens",
                                         "via",
                                         "server",
                                         "x-kong-proxy-latency",
                                         "x-kong-response-latency",
                                         "x-kong-admin-latency",
                                         "x-kong-upstream-latency",
                                         "x-kong-upstream-status",
                                         "x-kong-request-id"};

std::string absolute_path(const std::string& path) {
  std::error_code ignored;
  std::string absolute = std::filesystem::absolute(path, ignored).lexically_normal().string();
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  return absolute;
}

/// The input on its way to the typed settings: fills one field after the other and gathers what is wrong.
class Reader {
 public:
  explicit Reader(const Values& given) : given_(given) {}

  Result<Settings> read() {
    resolve_names();
    read_general();
    read_listeners();
    read_admin_gui();
    read_storage();
    read_proxying();
    read_tls();
    read_nginx();
    if (errors_.empty()) return std::move(settings_);
    std::string all;
    for (const std::string& error : errors_) all += (all.empty() ? "" : "\n") + error;
    return Error{all, errors_.size() == 1 ? field_ : ""};
  }

 private:
  void fail(std::string message, std::string_view field) {
    errors_.push_back(std::move(message));
    field_ = field;
  }

  /// Knows every given name, lets aliases through, and puts the defaults beneath.
  void resolve_names() {
    Values& all = settings_.effective;
    for (const Key& key : settings::keys()) all[std::string(key.name)] = key.fallback;
    for (const auto& [name, value] : kDirectiveDefaults) all[std::string(name)] = value;
    for (const auto& [name, value] : given_) {
      const Key* key = settings::find_key(name);
      if (key != nullptr) {
        const std::string problem = settings::problem(*key, value);
        if (!problem.empty()) {
          fail(problem + database_hint(name), name);
          continue;
        }
        if (key->use == settings::Use::kIgnored && value != key->fallback && !value.empty())
          note_ignored(name);
        // Kong treats an empty value as not given where the default is something; so do we.
        if (!value.empty() || key->fallback.empty()) all[name] = value;
      } else if (settings::is_directive(name)) {
        all[name] = value;
      } else if (settings::is_ignored_family(name)) {
        if (!value.empty()) note_ignored(name);
        all[name] = value;
      } else {
        const std::string closest = settings::closest_key(name);
        fail("unknown key '" + name + "'" + (closest.empty() ? "" : "; did you mean '" + closest + "'?"),
             name);
      }
    }
    for (const auto& [directive, key] : kAliases) {
      const auto found = all.find(std::string(directive));
      if (found == all.end()) continue;
      const std::string problem = settings::problem(*settings::find_key(key), found->second);
      if (!problem.empty())
        fail(std::string(directive) + problem.substr(key.size()), directive);
      else
        all[std::string(key)] = found->second;
      all.erase(found);
    }
  }

  static std::string database_hint(const std::string& name) {
    return name == "database"
               ? ": Gibbon stores its configuration in SQLite, or in a declarative file with 'off'"
               : "";
  }

  void note_ignored(const std::string& name) {
    settings_.notes.push_back("'" + name + "' has no effect in Gibbon");
  }

  const std::string& text(std::string_view key) { return settings_.effective[std::string(key)]; }
  bool boolean(std::string_view key) { return settings::parse_boolean(text(key)).value_or(false); }
  std::uint64_t size(std::string_view key) { return parse_size(text(key)).value_or(0); }

  /// A number that is whole and at least `least`; the error is in Kong's words.
  std::uint32_t whole(std::string_view key, std::uint32_t least) {
    const double value = settings::parse_number(text(key)).value_or(0);
    if (value >= least && value <= UINT32_MAX && value == std::floor(value))
      return static_cast<std::uint32_t>(value);
    fail(std::string(key) + " must be " + std::to_string(least) + " or greater", key);
    return least;
  }

  void read_general() {
    settings_.prefix = settings_.effective["prefix"] = absolute_path(text("prefix"));
    settings_.conf_file = text("conf_file");
    settings_.from_environment = split_list(text("from_environment"));
    settings_.log_level = text("log_level");
    for (const std::string& name : split_list(text("plugins"))) {
      if (name == "off") continue;
      if (name == "bundled") {
        for (const std::string_view bundled : kBundle) add_plugin(std::string(bundled));
      } else if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
                 std::string::npos) {
        fail("plugins: invalid entry '" + name + "'", "plugins");
      } else {
        add_plugin(name);
      }
    }
    for (const std::string& folder : split_list(text("plugin_path"))) {
      settings_.plugin_path.push_back(absolute_path(folder));
    }
    const std::string shipped = Installation::here().plugins;
    if (std::ranges::find(settings_.plugin_path, shipped) == settings_.plugin_path.end()) {
      settings_.plugin_path.push_back(shipped);
    }
    settings_.plugin_wait_timeout_ms = whole("plugin_wait_timeout", 1);
    settings_.error_default_type = text("error_default_type");
    for (const std::string type : {"html", "json", "xml", "plain"}) {
      const std::string key = "error_template_" + type;
      if (text(key).empty()) continue;
      settings_.error_templates[type] = settings_.effective[key] = absolute_path(text(key));
    }
    settings_.proxy_access_log = text("proxy_access_log");
    settings_.proxy_error_log = text("proxy_error_log");
  }

  void add_plugin(std::string name) {
    if (std::ranges::find(settings_.plugins, name) == settings_.plugins.end()) {
      settings_.plugins.push_back(std::move(name));
    }
  }

  void read_listeners() {
    settings_.proxy_listen = listeners("proxy_listen");
    settings_.admin_listen = listeners("admin_listen");
    settings_.status_listen = listeners("status_listen");
    settings_.log_service = boolean("log_service");
    const auto logs = listeners("logs_listen");
    if (logs.size() == 1)
      settings_.logs_listen = logs.front();
    else if (logs.size() > 1 || settings_.log_service)
      fail("logs_listen must be one <ip>:<port>", "logs_listen");
    for (const std::string_view key : {"admin_listen", "status_listen"}) {
      for (const Listener& listener :
           key == "admin_listen" ? settings_.admin_listen : settings_.status_listen) {
        if (listener.proxy_protocol) fail(std::string(key) + ": proxy_protocol is not supported here", key);
      }
    }
  }

  /// The origins of the URLs: their schemes and authorities.
  void read_admin_gui() {
    for (const std::string& url : split_list(text("admin_gui_url"))) {
      const std::size_t scheme = url.find("://");
      const std::size_t end = scheme == std::string::npos ? 0 : url.find_first_of("/?#", scheme + 3);
      if (scheme == std::string::npos || scheme == 0 || end == scheme + 3 || url.size() == scheme + 3)
        fail("admin_gui_url must be a list of URLs like http://localhost:8002, got '" + url + "'", "admin_gui_url");
      else
        settings_.admin_gui_origins.push_back(url.substr(0, end));
    }
  }

  std::vector<Listener> listeners(std::string_view key) {
    auto result = parse_listeners(key, text(key));
    if (result.ok()) return std::move(result.value());
    fail(result.error().message, key);
    return {};
  }

  void read_storage() {
    settings_.database = text("database");
    settings_.declarative_config_string = text("declarative_config_string");
    if (!text("declarative_config").empty()) {
      settings_.declarative_config = settings_.effective["declarative_config"] =
          absolute_path(text("declarative_config"));
    }
    settings_.ring_size_bytes = size("ring_size");
    settings_.spool_max_size_bytes = size("spool_max_size");
    if (settings_.ring_size_bytes < (1u << 16)) fail("ring_size must be 64k or greater", "ring_size");
    if (settings_.ring_size_bytes > (1ull << 32)) fail("ring_size must be 4g or less", "ring_size");
    if (settings_.spool_max_size_bytes < (1u << 20))
      fail("spool_max_size must be 1m or greater", "spool_max_size");
  }

  void read_proxying() {
    settings_.headers = header_tokens("headers", kHeaders);
    settings_.headers_upstream = header_tokens("headers_upstream", std::span(kHeaders).last(1));
    for (const std::string& entry : split_list(text("trusted_ips"))) {
      if (entry != "unix:" && !settings::is_address_range(entry)) {
        fail(
            "trusted_ips must be a comma separated list in the form of IPv4 or IPv6 address or CIDR block or "
            "'unix:', got '" +
                entry + "'",
            "trusted_ips");
      }
      settings_.trusted_ips.push_back(entry);
    }
    settings_.real_ip_header = text("real_ip_header");
    settings_.real_ip_recursive = boolean("real_ip_recursive");
    settings_.allow_debug_header = boolean("allow_debug_header");
    for (const std::string& pair : split_list(text("port_maps"))) {
      if (!is_port_pair(pair)) fail("invalid port mapping (`port_maps`): " + pair, "port_maps");
      settings_.port_maps.push_back(pair);
    }
    settings_.upstream_keepalive_pool_size = whole("upstream_keepalive_pool_size", 0);
    settings_.upstream_keepalive_max_requests = whole("upstream_keepalive_max_requests", 0);
    settings_.upstream_keepalive_idle_timeout_s =
        settings::parse_number(text("upstream_keepalive_idle_timeout")).value_or(0);
    if (!(settings_.upstream_keepalive_idle_timeout_s >= 0 &&
          settings_.upstream_keepalive_idle_timeout_s <= 1e6)) {
      fail("upstream_keepalive_idle_timeout must be 0 or greater", "upstream_keepalive_idle_timeout");
    }
    for (const std::string& entry : split_list(text("dns_resolver"))) {
      if (const auto server = settings::normalize_server(entry, 53))
        settings_.dns_resolver.push_back(*server);
      else
        fail("dns_resolver must be a comma separated list in the form of IPv4/6 or IPv4/6:port, got '" +
                 entry + "'",
             "dns_resolver");
    }
    settings_.dns_hostsfile = text("dns_hostsfile");
    for (std::string type : split_list(text("dns_order"))) {
      for (char& c : type) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      constexpr std::string_view kTypes[] = {"LAST", "SRV", "A", "AAAA", "CNAME"};
      if (std::ranges::find(kTypes, type) == std::end(kTypes)) {
        fail("dns_order: invalid entry '" + type + "'", "dns_order");
      } else {
        settings_.dns_order.push_back(std::move(type));
      }
    }
    const auto seconds = [this](std::string_view key) {
      const double value = settings::parse_number(text(key)).value_or(0);
      if (!(value >= 0 && value <= 1e9)) fail(std::string(key) + " must be 0 or greater", std::string(key));
      return static_cast<std::uint64_t>(std::ceil(std::clamp(value, 0.0, 1e9)));
    };
    settings_.dns_valid_ttl_s = seconds("dns_valid_ttl");
    settings_.dns_stale_ttl_s = seconds("dns_stale_ttl");
    settings_.dns_not_found_ttl_s = seconds("dns_not_found_ttl");
    settings_.dns_error_ttl_s = seconds("dns_error_ttl");
  }

  /// "80:8000"
  static bool is_port_pair(const std::string& pair) {
    const std::size_t colon = pair.find(':');
    if (colon == std::string::npos) return false;
    const auto is_port = [](const std::string& digits) {
      return !digits.empty() && digits.size() <= 5 && digits.find_first_not_of("0123456789") == std::string::npos &&
             std::stoul(digits) >= 1 && std::stoul(digits) <= 65535;
    };
    return is_port(pair.substr(0, colon)) && is_port(pair.substr(colon + 1));
  }

  std::vector<std::string> header_tokens(std::string_view key, std::span<const std::string_view> known) {
    std::vector<std::string> tokens;
    bool off = false;
    for (const std::string& entry : split_list(text(key))) {
      const std::string token = settings::to_lower(entry);
      if (token == "off")
        off = true;
      else if (std::ranges::find(known, token) != known.end())
        tokens.push_back(token);
      else
        fail(std::string(key) + ": invalid entry '" + entry + "'", key);
    }
    return off ? std::vector<std::string>{} : tokens;
  }

  void read_tls() {
    certificate_pair("", settings_.ssl_cert, settings_.ssl_cert_key);
    certificate_pair("admin_", settings_.admin_ssl_cert, settings_.admin_ssl_cert_key);
    certificate_pair("status_", settings_.status_ssl_cert, settings_.status_ssl_cert_key);
    settings_.ssl_cipher_suite = text("ssl_cipher_suite");
    settings_.ssl_ciphers = text("ssl_ciphers");
    settings_.ssl_protocols = text("ssl_protocols");
    settings_.ssl_session_timeout = text("ssl_session_timeout");
    settings_.ssl_session_cache_size = text("ssl_session_cache_size");
    settings_.ssl_prefer_server_ciphers = boolean("ssl_prefer_server_ciphers");
    settings_.ssl_session_tickets = boolean("ssl_session_tickets");
    for (const std::string& protocol : settings::split_words(settings_.ssl_protocols)) {
      if (protocol != "TLSv1" && protocol != "TLSv1.1" && protocol != "TLSv1.2" && protocol != "TLSv1.3") {
        fail("ssl_protocols: invalid entry '" + protocol + "' (TLSv1, TLSv1.1, TLSv1.2, TLSv1.3)",
             "ssl_protocols");
      }
    }
    for (const std::string& entry : split_list(text("lua_ssl_trusted_certificate"))) {
      settings_.lua_ssl_trusted_certificate.push_back(entry == "system" ? entry : absolute_path(entry));
    }
    settings_.lua_ssl_verify_depth = whole("lua_ssl_verify_depth", 0);
    read_client_certificate();
    read_admin_guard();
  }

  std::string path(std::string_view key) {
    return text(key).empty() ? std::string() : settings_.effective[std::string(key)] = absolute_path(text(key));
  }

  void read_client_certificate() {
    settings_.client_ssl = boolean("client_ssl");
    settings_.client_ssl_cert = path("client_ssl_cert");
    settings_.client_ssl_cert_key = path("client_ssl_cert_key");
    if (!settings_.client_ssl || settings_.client_ssl_cert.empty() == settings_.client_ssl_cert_key.empty()) return;
    const char* missing = settings_.client_ssl_cert.empty() ? "client_ssl_cert" : "client_ssl_cert_key";
    fail(std::string(missing) + " must be specified", missing);
  }

  void read_admin_guard() {
    settings_.admin_token = text("admin_token");
    settings_.admin_token_file = path("admin_token_file");
    settings_.admin_ssl_client_certificate = path("admin_ssl_client_certificate");
    // No message holds the token.
    if (!settings_.admin_token.empty() && !settings_.admin_token_file.empty())
      fail("admin_token and admin_token_file cannot both be set", "admin_token");
    if (!settings::is_token(settings_.admin_token))
      fail("admin_token must be made of visible ASCII characters", "admin_token");
    if (settings_.admin_ssl_client_certificate.empty() || settings_.admin_wants_token()) return;
    for (const Listener& listener : settings_.admin_listen) {
      if (listener.ssl) continue;
      fail("admin_ssl_client_certificate guards addresses with ssl alone, and admin_listen has " + listener.address() +
               " without: take that one away, or set admin_token too",
           "admin_ssl_client_certificate");
    }
  }

  void certificate_pair(const std::string& prefix, std::vector<std::string>& certs,
                        std::vector<std::string>& cert_keys) {
    const std::string cert = prefix + "ssl_cert", key = prefix + "ssl_cert_key";
    for (const std::string& path : split_list(text(cert))) certs.push_back(absolute_path(path));
    for (const std::string& path : split_list(text(key))) cert_keys.push_back(absolute_path(path));
    if (!certs.empty() && cert_keys.empty()) {
      fail(key + " must be specified", key);
    } else if (certs.empty() && !cert_keys.empty()) {
      fail(cert + " must be specified", cert);
    } else if (certs.size() != cert_keys.size()) {
      fail(cert + " was specified " + std::to_string(certs.size()) + " times while " + key +
               " was specified " + std::to_string(cert_keys.size()) + " times",
           cert);
    }
  }

  void read_nginx() {
    const auto user = settings::split_words(text("nginx_user"));
    // Kong's default; where no such user exists, ours applies.
    const bool by_default =
        user.empty() || (user.front() == "kong" && (user.size() == 1 || user[1] == "kong"));
    if (user.size() > 2) fail("nginx_user must be of form: <user> [<group>]", "nginx_user");
    if (!by_default) settings_.nginx_user = text("nginx_user");
    settings_.nginx_worker_processes = text("nginx_worker_processes");
    if (settings_.nginx_worker_processes != "auto") whole_workers();
    settings_.nginx_daemon = boolean("nginx_daemon");

    struct Family {
      std::string_view prefix;
      std::vector<Settings::Directive>& directives;
    };
    const Family families[] = {{"nginx_main_", settings_.main_directives},
                               {"nginx_events_", settings_.events_directives},
                               {"nginx_http_", settings_.http_directives},
                               {"nginx_proxy_", settings_.proxy_directives},
                               {"nginx_upstream_", settings_.upstream_directives},
                               {"nginx_location_", settings_.location_directives}};
    for (const auto& [name, value] : settings_.effective) {
      if (!settings::is_directive(name) || value.empty() || value == "NONE") continue;
      for (const Family& family : families) {
        if (!name.starts_with(family.prefix)) continue;
        std::string directive = name.substr(family.prefix.size());
        if (directive.starts_with("lua_"))
          note_ignored(name);
        else
          family.directives.push_back({std::move(directive), value});
        break;
      }
    }
    settings_.http_directives.push_back({"client_body_buffer_size", text("client_body_buffer_size")});
  }

  void whole_workers() {
    const double count = settings::parse_number(settings_.nginx_worker_processes).value_or(0);
    if (count >= 1 && count <= kMaxWorkers && count == std::floor(count)) return;
    fail("nginx_worker_processes must be 'auto' or a number between 1 and 128, got '" +
             settings_.nginx_worker_processes + "'",
         "nginx_worker_processes");
  }

  const Values& given_;
  Settings settings_;
  std::vector<std::string> errors_;
  std::string field_;
};

}  // namespace

Result<Settings> Settings::from_values(const Values& values) { return Reader(values).read(); }

}  // namespace gibbon
