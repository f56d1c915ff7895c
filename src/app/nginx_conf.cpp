#include "app/nginx_conf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "app/certificates.hpp"

namespace gibbon::app {

namespace {

using Directives = std::vector<Settings::Directive>;

/// What a proxied request tells its upstream. The variable carries Host, Connection, Upgrade and the
/// forwarding headers as further lines of its own, so that one evaluation makes them all; what a client sent
/// of them is taken away here.
constexpr std::pair<std::string_view, std::string_view> kProxyHeaders[] = {{"Via", "$gibbon_forwarded"},
                                                                           {"Host", "\"\""},
                                                                           {"Connection", "\"\""},
                                                                           {"Upgrade", "\"\""},
                                                                           {"X-Forwarded-For", "\"\""},
                                                                           {"X-Forwarded-Proto", "\"\""},
                                                                           {"X-Forwarded-Host", "\"\""},
                                                                           {"X-Forwarded-Port", "\"\""},
                                                                           {"X-Forwarded-Path", "\"\""},
                                                                           {"X-Forwarded-Prefix", "\"\""},
                                                                           {"X-Real-IP", "\"\""},
                                                                           {"X-Kong-Request-Id", "\"\""},
                                                                           {"TE", "\"\""},
                                                                           {"Proxy", "\"\""},
                                                                           {"Proxy-Connection", "\"\""},
                                                                           {"Keep-Alive", "\"\""}};

/// The same for gRPC: HTTP/2 takes no block of lines. Empty values are not sent.
constexpr std::pair<std::string_view, std::string_view> kGrpcHeaders[] = {
    {"Host", "$gibbon_upstream_host"},
    {"Via", "$gibbon_via"},
    {"X-Forwarded-For", "$gibbon_forwarded_for"},
    {"X-Forwarded-Proto", "$gibbon_forwarded_proto"},
    {"X-Forwarded-Host", "$gibbon_forwarded_host"},
    {"X-Forwarded-Port", "$gibbon_forwarded_port"},
    {"X-Forwarded-Path", "$gibbon_forwarded_path"},
    {"X-Forwarded-Prefix", "$gibbon_forwarded_prefix"},
    {"X-Real-IP", "$remote_addr"},
    {"X-Kong-Request-Id", "$gibbon_upstream_request_id"},
    {"TE", "trailers"},
    {"Proxy", "\"\""}};

constexpr std::string_view kIntermediateCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";
constexpr std::string_view kOldCiphersToo =
    ":ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
    "DHE-RSA-AES128-SHA256:DHE-RSA-AES256-SHA256:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:"
    "AES256-SHA256:AES128-SHA:AES256-SHA:DES-CBC3-SHA";

/// A value as one word of nginx's language.
std::string word(std::string_view value) {
  const bool plain = !value.empty() && value.find_first_of(" \t\r\n;{}\"'\\#$") == std::string_view::npos;
  if (plain) return std::string(value);
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

std::string words(const std::vector<std::string>& values, std::string_view none) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : " ") + word(value);
  return text.empty() ? std::string(none) : text;
}

const char* on_off(bool value) { return value ? "on" : "off"; }

class Writer {
 public:
  Writer(const Settings& settings, const Paths& paths, const NginxHost& host)
      : settings_(settings), paths_(paths), host_(host) {}

  std::string write() {
    line(
        "# Written by gibbon from its settings; changes here are lost. Use the nginx_* keys to add "
        "directives.");
    main_block();
    open("events");
    inject(settings_.events_directives);
    close();
    open("http");
    http_block();
    if (!settings_.proxy_listen.empty()) {
      upstream_block();
      proxy_server();
    }
    close();
    return std::move(text_);
  }

 private:
  void line(std::string_view text) {
    if (!text.empty()) text_.append(2 * depth_, ' ').append(text);
    text_ += '\n';
  }
  void set(std::string_view name, std::string_view value) { line(fmt::format("{} {};", name, value)); }
  void open(std::string_view name) {
    line(fmt::format("{} {{", name));
    ++depth_;
  }
  void close() {
    --depth_;
    line("}");
  }
  void inject(const Directives& directives) {
    for (const auto& [name, value] : directives) {
      const bool machine =
          value == "auto" && (name == "worker_rlimit_nofile" || name == "worker_connections");
      set(name, machine ? std::to_string(host_.open_files) : value);
    }
  }
  static bool names(const Directives& directives, std::string_view name) {
    return std::ranges::find(directives, name, &Settings::Directive::name) != directives.end();
  }
  /// What the operator says of a directive of the proxied location, at any level; null where nothing is said.
  const std::string* injected(std::string_view name) const {
    for (const Directives* level :
         {&settings_.location_directives, &settings_.proxy_directives, &settings_.http_directives}) {
      const auto found = std::ranges::find(*level, name, &Settings::Directive::name);
      if (found != level->end()) return &found->value;
    }
    return nullptr;
  }

  void main_block() {
    set("load_module", word(host_.module));
    set("pid", word(paths_.pids + "/nginx.pid"));
    set("error_log", fmt::format("{} {}", word(settings_.proxy_error_log), settings_.log_level));
    if (!host_.user.empty()) set("user", host_.user);
    set("worker_processes", std::to_string(worker_count(settings_, host_)));
    inject(settings_.main_directives);
    line("");
  }

  void http_block() {
    set("server_tokens", "off");
    set("underscores_in_headers", "on");
    set("uninitialized_variable_warn", "off");
    temporary_folders();
    inject(settings_.http_directives);
    line("log_format kong_log_format '$remote_addr - $remote_user [$time_local] \"$request\" $status '");
    line(
        "  '$body_bytes_sent \"$http_referer\" \"$http_user_agent\" kong_request_id: \"$kong_request_id\"';");
    resolver();
    line("");
    gibbon_directives();
    line("");
  }

  void temporary_folders() {
    for (const std::string_view kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
      set(fmt::format("{}_temp_path", kind), word(fmt::format("{}/{}", host_.temporary, kind)));
    }
  }

  void resolver() {
    const auto& servers = settings_.dns_resolver.empty() ? host_.name_servers : settings_.dns_resolver;
    if (servers.empty() || names(settings_.http_directives, "resolver")) return;
    // As Kong: addresses of IPv4 alone, unless dns_order says otherwise.
    std::string more = std::ranges::find(settings_.dns_order, "AAAA") == settings_.dns_order.end() ? " ipv6=off" : "";
    if (settings_.dns_valid_ttl_s > 0) more += fmt::format(" valid={}s", settings_.dns_valid_ttl_s);
    set("resolver", words(servers, "") + more);
  }

  void gibbon_directives() {
    set("gibbon_shared", word(paths_.shared));
    set("gibbon_ring_size", std::to_string(settings_.ring_size_bytes));
    set("gibbon_plugin_path", words(settings_.plugin_path, "\"\""));
    if (!settings_.plugins.empty()) set("gibbon_plugins", words(settings_.plugins, ""));
    set("gibbon_plugin_wait", fmt::format("{}ms", settings_.plugin_wait_timeout_ms));
    if (!host_.node_id.empty()) set("gibbon_node_id", word(host_.node_id));
    set("gibbon_hosts_file", word(settings_.dns_hostsfile));
    set("gibbon_resolv_conf", "/etc/resolv.conf");
    if (!settings_.dns_order.empty()) set("gibbon_dns_order", words(settings_.dns_order, ""));
    set("gibbon_dns_ttl", fmt::format("stale={} not_found={} error={}", settings_.dns_stale_ttl_s,
                                      settings_.dns_not_found_ttl_s, settings_.dns_error_ttl_s));
    if (!host_.certificate_authorities.empty())
      set("gibbon_trusted_certificates", word(host_.certificate_authorities));
    if (!settings_.trusted_ips.empty()) set("gibbon_trusted_ips", words(settings_.trusted_ips, ""));
    const std::string* verify = injected("proxy_ssl_verify");
    set("gibbon_tls_verify", on_off(verify != nullptr && *verify == "on"));
    set("gibbon_error_default_type", word(settings_.error_default_type));
    for (const auto& [type, path] : settings_.error_templates)
      set("gibbon_error_template", fmt::format("{} {}", type, word(path)));
    if (settings_.allow_debug_header) set("gibbon_allow_debug_header", "on");
    if (!settings_.port_maps.empty()) set("gibbon_port_maps", words(settings_.port_maps, ""));
    set("gibbon_headers", words(settings_.headers, "off"));
    set("gibbon_headers_upstream", words(settings_.headers_upstream, "off"));
  }

  void upstream_block() {
    open("upstream gibbon_upstream");
    set("server", "0.0.0.1");
    line("gibbon_balancer;");
    if (settings_.upstream_keepalive_pool_size > 0) {
      set("keepalive", std::to_string(settings_.upstream_keepalive_pool_size));
      // nginx takes neither "no limit" nor fractions of a second here.
      const auto requests = settings_.upstream_keepalive_max_requests;
      set("keepalive_requests", std::to_string(requests == 0 ? 1'000'000'000u : requests));
      const double idle = settings_.upstream_keepalive_idle_timeout_s;
      set("keepalive_timeout",
          idle == 0 ? "365d" : fmt::format("{}ms", std::max(1l, std::lround(idle * 1000))));
    }
    inject(settings_.upstream_directives);
    close();
    line("");
  }

  void proxy_server() {
    open("server");
    set("server_name", "kong");
    for (const Listener& listener : settings_.proxy_listen) set("listen", listener.text());
    logs();
    if (std::ranges::any_of(settings_.proxy_listen, &Listener::ssl)) tls();
    real_ip();
    inject(settings_.proxy_directives);
    line("");
    set("error_page", "400 404 405 408 411 412 413 414 417 /kong_error_handler");
    set("error_page", "494 =494 /kong_error_handler");
    set("error_page", "500 502 503 504 /kong_error_handler");
    line("");
    proxy_location();
    grpc_location();
    error_location();
    close();
  }

  void logs() {
    const std::string& access = settings_.proxy_access_log;
    const bool plain = access != "off" && access.find(' ') == std::string::npos;
    set("access_log", plain ? word(access) + " kong_log_format" : access);
    set("error_log", fmt::format("{} {}", word(settings_.proxy_error_log), settings_.log_level));
  }

  void tls() {
    for (const CertificatePair& pair : proxy_certificates(settings_, paths_)) {
      set("ssl_certificate", word(pair.certificate));
      set("ssl_certificate_key", word(pair.key));
    }
    set("ssl_session_cache", fmt::format("shared:SSL:{}", settings_.ssl_session_cache_size));
    const std::string& suite = settings_.ssl_cipher_suite;
    const bool modern = suite == "modern", old = suite == "old", fips = suite == "fips",
               custom = suite == "custom";
    set("ssl_protocols", custom   ? settings_.ssl_protocols
                         : modern ? "TLSv1.3"
                         : old    ? "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"
                         : fips   ? "TLSv1.2"
                                  : "TLSv1.2 TLSv1.3");
    set("ssl_prefer_server_ciphers", on_off(custom ? settings_.ssl_prefer_server_ciphers : old || fips));
    if (custom && !settings_.ssl_ciphers.empty()) set("ssl_ciphers", word(settings_.ssl_ciphers));
    if (fips) set("ssl_ciphers", word("TLSv1.2+FIPS:kRSA+FIPS:!eNULL:!aNULL"));
    if (suite == "intermediate") set("ssl_ciphers", kIntermediateCiphers);
    if (old) {
      set("ssl_ciphers", fmt::format("{}{}", kIntermediateCiphers, kOldCiphersToo));
      set("ssl_conf_command", "CipherString DEFAULT:@SECLEVEL=0");
    }
    set("ssl_session_tickets", on_off(settings_.ssl_session_tickets));
    set("ssl_session_timeout", settings_.ssl_session_timeout);
  }

  void real_ip() {
    set("real_ip_header", settings_.real_ip_header);
    set("real_ip_recursive", on_off(settings_.real_ip_recursive));
    for (const std::string& address : settings_.trusted_ips) set("set_real_ip_from", address);
  }

  void proxy_location() {
    open("location /");
    line("gibbon on;");
    set("default_type", "''");
    set("proxy_http_version", "1.1");
    set("proxy_buffering", "on");
    set("proxy_request_buffering", "off");
    set("proxy_redirect", "off");
    set("proxy_buffer_size", "16k");
    set("proxy_buffers", "8 16k");
    for (const auto& [name, value] : kProxyHeaders)
      set("proxy_set_header", fmt::format("{} {}", name, value));
    upstream_tail("proxy");
    // Whether upstreams are verified, the balancer decides: see upstream_tail().
    Directives directives = settings_.location_directives;
    std::erase_if(directives, [](const auto& directive) { return directive.name == "proxy_ssl_verify"; });
    inject(directives);
    set("proxy_pass", "https://gibbon_upstream");
    close();
    line("");
  }

  void grpc_location() {
    open("location @gibbon_grpc");
    line("internal;");
    set("default_type", "''");
    for (const auto& [name, value] : kGrpcHeaders) set("grpc_set_header", fmt::format("{} {}", name, value));
    upstream_tail("grpc");
    set("grpc_pass", "grpcs://gibbon_upstream");
    close();
    line("");
  }

  /// What proxy_pass and grpc_pass have in common. The scheme and the peer are the balancer's.
  void upstream_tail(std::string_view kind) {
    set(fmt::format("{}_pass_header", kind), "Server");
    set(fmt::format("{}_pass_header", kind), "Date");
    // An upstream may not send its clients to other places inside the gateway.
    set(fmt::format("{}_ignore_headers", kind), "X-Accel-Redirect");
    set(fmt::format("{}_ssl_name", kind), "$gibbon_upstream_host_name");
    set(fmt::format("{}_ssl_server_name", kind), "on");
    // nginx loads authorities only where it verifies; the balancer then verifies for the services that want it.
    const std::string trusted = fmt::format("{}_ssl_trusted_certificate", kind);
    const std::string depth = fmt::format("{}_ssl_verify_depth", kind);
    const bool given = injected(trusted) != nullptr, authorities = !host_.certificate_authorities.empty();
    set(fmt::format("{}_ssl_verify", kind), on_off(given || authorities));
    if (authorities && !given) set(trusted, word(host_.certificate_authorities));
    if (injected(depth) == nullptr) set(depth, std::to_string(settings_.lua_ssl_verify_depth));
    if (settings_.client_ssl) {
      const CertificatePair pair = client_certificate(settings_, paths_);
      set(fmt::format("{}_ssl_certificate", kind), word(pair.certificate));
      set(fmt::format("{}_ssl_certificate_key", kind), word(pair.key));
    }
  }

  void error_location() {
    open("location = /kong_error_handler");
    line("internal;");
    set("default_type", "''");
    line("gibbon_error_handler;");
    close();
  }

  const Settings& settings_;
  const Paths& paths_;
  const NginxHost& host_;
  std::string text_;
  std::size_t depth_ = 0;
};

}  // namespace

unsigned worker_count(const Settings& settings, const NginxHost& host) {
  // Validated when the settings were read.
  return settings.nginx_worker_processes == "auto"
             ? host.workers
             : static_cast<unsigned>(std::stoul(settings.nginx_worker_processes));
}

std::string nginx_conf(const Settings& settings, const Paths& paths, const NginxHost& host) {
  return Writer(settings, paths, host).write();
}

}  // namespace gibbon::app
