#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// What an operator sets before the start: Kong's configuration keys, with Kong's defaults and meanings, and
/// a few of our own. `gibbon start` reads them from a file and from the environment, writes the effective
/// ones to PREFIX/.gibbon_env, and the children (`gibbon agent -p PREFIX`, ...) read them back from there.
namespace gibbon {

/// One address of proxy_listen, admin_listen or status_listen.
struct Listener {
  std::string ip;  ///< Without brackets: "127.0.0.1", "::1", "0.0.0.0".
  std::uint16_t port = 0;
  bool ssl = false, http2 = false, proxy_protocol = false;
  bool reuseport = false, deferred = false, bind = false;
  std::optional<std::uint32_t> backlog;
  std::string ipv6only;      ///< "on", "off", or empty: not given.
  std::string so_keepalive;  ///< "on", "off", "30m::10", or empty: not given.

  [[nodiscard]] std::string address() const;  ///< "127.0.0.1:8001", "[::1]:8001".
  [[nodiscard]] std::string text()
      const;  ///< As nginx's `listen` takes it: "127.0.0.1:8001 reuseport backlog=16384".
  bool operator==(const Listener&) const = default;
};

struct Settings {
  /// A file's lines or the environment: keys in lower case, values as written, quotes and comments gone.
  using Values = std::map<std::string, std::string>;

  /// One `nginx_http_*` (…) key: a directive that is written into the generated nginx.conf as it stands.
  struct Directive {
    std::string name, value;
    bool operator==(const Directive&) const = default;
  };

  std::string prefix = "/usr/local/gibbon";  ///< Absolute, without a slash at its end.
  std::string log_level = "notice";          ///< debug, info, notice, warn, error, crit, alert, emerg.
  std::vector<std::string>
      plugins;  ///< Names to load, in the order given; `bundled` is expanded, `off` is gone.
  std::vector<std::string>
      plugin_path;  ///< Absolute folders to search; the one that ships with Gibbon is the last.

  std::vector<Listener> proxy_listen, admin_listen, status_listen;  ///< Empty: off.
  Listener logs_listen;
  /// Where Kong Manager is served: "http://localhost:8002". A page from elsewhere may not read the Admin API's
  /// answers; empty: any may.
  std::vector<std::string> admin_gui_origins;
  bool log_service = false;

  std::uint32_t plugin_wait_timeout_ms = 60000;  ///< How long one handler of a plugin may wait, in all.

  std::string database = "sqlite";        ///< "sqlite" or "off".
  std::string declarative_config;         ///< Absolute path; empty: none.
  std::string declarative_config_string;  ///< The configuration itself; empty: none.

  std::uint64_t ring_size_bytes = 32u << 20;      ///< One worker's ring.
  std::uint64_t spool_max_size_bytes = 1u << 30;  ///< All that the agent may keep on disk.

  std::vector<std::string> headers,
      headers_upstream;                  ///< In lower case, as Kong's keys take them; empty: off.
  std::vector<std::string> trusted_ips;  ///< Addresses and CIDR ranges.
  std::string real_ip_header = "X-Real-IP";
  bool real_ip_recursive = false;
  std::string error_default_type = "text/plain";
  /// Files in the place of Kong's error bodies, by type ("json", "html", "xml", "plain"): absolute paths.
  std::map<std::string, std::string> error_templates;
  bool allow_debug_header = false;
  std::vector<std::string> port_maps;  ///< "80:8000": clients use the first port, the listener has the second.

  std::uint32_t upstream_keepalive_pool_size = 512;  ///< 0: none.
  std::uint32_t upstream_keepalive_max_requests = 10000;
  double upstream_keepalive_idle_timeout_s = 60;  ///< 0: without end.

  std::vector<std::string> dns_resolver;  ///< "127.0.0.1:53", "[::1]:53"; empty: as resolv.conf says.
  std::string dns_hostsfile = "/etc/hosts";
  std::vector<std::string> dns_order;  ///< "LAST", "SRV", "A", "AAAA", "CNAME": what is asked for, the first first.
  std::uint64_t dns_valid_ttl_s = 0;   ///< In place of the records' own; 0: theirs.
  std::uint64_t dns_stale_ttl_s = 3600, dns_not_found_ttl_s = 30, dns_error_ttl_s = 1;

  std::string nginx_worker_processes = "auto";  ///< "auto" or a number.
  std::string nginx_user;                       ///< "kong kong", as given; empty: the default applies.
  bool nginx_daemon = true;
  std::vector<Directive> main_directives, events_directives, http_directives, proxy_directives,
      upstream_directives, location_directives;

  std::string proxy_access_log,
      proxy_error_log;  ///< A path (from the prefix), "off", or a path and a format name.

  std::vector<std::string> ssl_cert, ssl_cert_key;  ///< Absolute paths; empty: a self-signed one is made.
  std::vector<std::string> admin_ssl_cert, admin_ssl_cert_key;  ///< Likewise.
  std::vector<std::string> status_ssl_cert, status_ssl_cert_key;
  bool client_ssl = false;  ///< The gateway shows a certificate of its own to upstreams over TLS.
  std::string client_ssl_cert, client_ssl_cert_key;  ///< Absolute paths; empty: a self-signed one is made.
  std::string admin_token;       ///< What the Admin API asks for; empty: nothing, or what the file says.
  std::string admin_token_file;  ///< Absolute path of a file that holds the token; empty: none.
  /// Absolute path of the authorities whose client certificates the Admin API's TLS addresses ask for; empty: none.
  std::string admin_ssl_client_certificate;
  [[nodiscard]] bool admin_wants_token() const { return !admin_token.empty() || !admin_token_file.empty(); }
  std::string ssl_cipher_suite, ssl_ciphers, ssl_protocols, ssl_session_timeout, ssl_session_cache_size;
  bool ssl_prefer_server_ciphers = true, ssl_session_tickets = true;
  std::vector<std::string> lua_ssl_trusted_certificate;  ///< Paths, or "system".
  std::uint32_t lua_ssl_verify_depth = 1;

  std::string conf_file;                      ///< The file that was read; empty: none.
  std::vector<std::string> from_environment;  ///< Keys whose value came from a variable.

  /// Every key's effective value as text, known-but-unused ones of Kong's included.
  Values effective;
  /// What an operator should hear of: keys of Kong's that have no effect here.
  std::vector<std::string> notes;

  /// Reads `values` (keys in lower case, without the KONG_ prefix) over the defaults.
  /// Errors: every problem of the input in one message, a line each, in Kong's words where it has some.
  static Result<Settings> from_values(const Values& values);

  /// Reads a configuration file's text: `key = value`, `#` begins a comment, quotes are optional.
  static Result<Values> parse_file(std::string_view text);

  /// What an operator asked for: `file` (empty: /etc/gibbon/gibbon.conf or /etc/kong/kong.conf where one
  /// exists), over it the variables KONG_<KEY>, over these GIBBON_<KEY> of `environment` ("NAME=value", null
  /// at the end), over these `prefix` where it is not empty.
  static Result<Settings> load(const std::string& file, const std::string& prefix,
                               const char* const* environment);

  /// The same for a gateway that runs in `prefix`: its own file where `file` is empty, and what came from the
  /// environment at its start stays unless `environment` says otherwise.
  static Result<Settings> reload(const std::string& file, const std::string& prefix,
                                 const char* const* environment);

  /// The settings that `gibbon start` wrote, for its children. Errors: there are none, or they are damaged.
  static Result<Settings> load_effective(const std::string& prefix);
  /// Writes PREFIX/.gibbon_env, mode 0600, at once or not at all.
  [[nodiscard]] Status store_effective() const;
};

/// One listen key's value, with Kong's flags. Errors: Kong's "<key> must be of form: ...".
Result<std::vector<Listener>> parse_listeners(std::string_view key, std::string_view value);

/// "32m", "1g", "8k", "1024": a size in bytes, as nginx writes it.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace gibbon
