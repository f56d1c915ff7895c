#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gateway/answer/error_body.hpp"
#include "gateway/nginx/ngx.hpp"
#include "plugin/registry.hpp"

namespace gibbon::nginx {

/// Kong's `headers` setting: which headers the gateway adds to what the client receives.
struct ResponseHeaderSwitches {
  bool server = true, via = true, request_id = true;
  bool upstream_latency = true, proxy_latency = true, response_latency = true, upstream_status = false;
};

/// Kong's `dns_order`: which records are asked for, and which first. nginx asks for A and AAAA at once.
struct DnsOrder {
  bool srv = true, address_first = false;
  bool last_first = true;  ///< The type that had an answer the last time is asked for first.
};

/// What the `http` block says. Lives as long as nginx's cycle.
struct MainConf {
  std::string shared_directory;
  std::size_t ring_bytes = 32u << 20;
  std::vector<std::string> plugin_names, plugin_directories;
  std::string hosts_file = "/etc/hosts", resolv_conf = "/etc/resolv.conf";
  DnsOrder dns_order;
  /// How long an answer serves on while no name server answers, and when a name that does not exist, or could not be
  /// asked for, is asked for again; in seconds.
  time_t dns_stale_ttl = 3600, dns_not_found_ttl = 30, dns_error_ttl = 1;
  std::string trusted_certificates;  ///< A file of authorities, for health checks over TLS; empty: none.
  std::vector<ngx_cidr_t> trusted;
  ResponseHeaderSwitches headers;
  bool upstream_request_id = true;
  bool tls_verify = false;  ///< Of services that do not say.
  std::string error_default_type = "text/plain";
  gateway::ErrorTemplates error_templates;
  bool allow_debug_header = false;
  std::vector<std::pair<std::uint16_t, std::uint16_t>> port_maps;  ///< A port of ours, and the one that clients use.
  ngx_msec_t plugin_wait_ms = 60000;  ///< How long one handler may wait, in all.
  std::string node_id;                ///< Of the gateway: a UUID.
  plugin::Registry registry;
};

/// A server in which no location says `gibbon on` is nginx's alone.
struct SrvConf {
  bool ours;
};

struct LocConf {
  ngx_flag_t enabled;
};

MainConf* main_conf(const ngx_http_request_t* r);
MainConf* main_conf(const ngx_cycle_t* cycle);
inline LocConf* loc_conf(const ngx_http_request_t* r) {
  return static_cast<LocConf*>(ngx_http_get_module_loc_conf(r, ngx_http_gibbon_module));
}

/// The request came to a server of ours: also where nginx refused it before it had a location.
inline bool is_ours(const ngx_http_request_t* r) {
  return static_cast<SrvConf*>(ngx_http_get_module_srv_conf(r, ngx_http_gibbon_module))->ours;
}

extern ngx_command_t directives[];
void* create_main_conf(ngx_conf_t* cf);
void* create_srv_conf(ngx_conf_t* cf);
void* create_loc_conf(ngx_conf_t* cf);
char* merge_loc_conf(ngx_conf_t* cf, void* parent, void* child);

}  // namespace gibbon::nginx
