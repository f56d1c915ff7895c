#include "gateway/nginx/conf.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <new>

namespace gibbon::nginx {
namespace {

void destroy_main_conf(void* data) { static_cast<MainConf*>(data)->~MainConf(); }

MainConf& main_conf(ngx_conf_t* cf) {
  return *static_cast<MainConf*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_gibbon_module));
}

/// The arguments of a directive, without its name.
std::vector<std::string> arguments(ngx_conf_t* cf) {
  auto* args = static_cast<ngx_str_t*>(cf->args->elts);
  std::vector<std::string> out;
  for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) out.emplace_back(view(args[i]));
  return out;
}

constexpr char* kConfOk = nullptr;
char* const kConfError = static_cast<char*>(NGX_CONF_ERROR);

template <std::string MainConf::*Member>
char* set_text(ngx_conf_t* cf, ngx_command_t*, void*) {
  main_conf(cf).*Member = arguments(cf).front();
  return kConfOk;
}

template <std::vector<std::string> MainConf::*Member>
char* set_list(ngx_conf_t* cf, ngx_command_t*, void*) {
  main_conf(cf).*Member = arguments(cf);
  return kConfOk;
}

char* set_ring_size(ngx_conf_t* cf, ngx_command_t*, void*) {
  auto* args = static_cast<ngx_str_t*>(cf->args->elts);
  const ssize_t size = ngx_parse_size(&args[1]);
  if (size < 65536) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"gibbon_ring_size\" must be a size of at least 64k, not \"%V\"", &args[1]);
    return kConfError;
  }
  main_conf(cf).ring_bytes = static_cast<std::size_t>(size);
  return kConfOk;
}

char* set_dns_order(ngx_conf_t* cf, ngx_command_t*, void*) {
  DnsOrder order{false, false, false};
  bool address = false;
  for (const std::string& type : arguments(cf)) {
    const auto is = [&](std::string_view other) { return equals_ignoring_case(type, other); };
    if (is("LAST")) {
      order.last_first = true;
    } else if (is("SRV")) {
      order.srv = true;
      order.address_first = address;
    } else if (is("A") || is("AAAA")) {
      address = true;
    } else if (!is("CNAME")) {
      ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"gibbon_dns_order\" does not know \"%s\"", type.c_str());
      return kConfError;
    }
  }
  main_conf(cf).dns_order = order;
  return kConfOk;
}

/// "stale=3600 not_found=30 error=1"
char* set_dns_ttl(ngx_conf_t* cf, ngx_command_t*, void*) {
  MainConf& conf = main_conf(cf);
  const std::pair<std::string_view, time_t*> known[] = {
      {"stale=", &conf.dns_stale_ttl}, {"not_found=", &conf.dns_not_found_ttl}, {"error=", &conf.dns_error_ttl}};
  for (const std::string& argument : arguments(cf)) {
    bool taken = false;
    for (const auto& [name, seconds] : known) {
      if (!argument.starts_with(name)) continue;
      ngx_str_t value = str(std::string_view(argument).substr(name.size()));
      *seconds = ngx_parse_time(&value, 1);
      taken = *seconds != NGX_ERROR;
    }
    if (taken) continue;
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"gibbon_dns_ttl\" must hold stale=TIME, not_found=TIME or error=TIME, not \"%s\"",
                       argument.c_str());
    return kConfError;
  }
  return kConfOk;
}

char* set_plugin_wait(ngx_conf_t* cf, ngx_command_t*, void*) {
  auto* args = static_cast<ngx_str_t*>(cf->args->elts);
  const ngx_int_t time = ngx_parse_time(&args[1], 0);
  if (time <= 0) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"gibbon_plugin_wait\" must be a time, not \"%V\"", &args[1]);
    return kConfError;
  }
  main_conf(cf).plugin_wait_ms = static_cast<ngx_msec_t>(time);
  return kConfOk;
}

char* set_trusted(ngx_conf_t* cf, ngx_command_t*, void*) {
  auto* args = static_cast<ngx_str_t*>(cf->args->elts);
  for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) {
    ngx_cidr_t cidr;
    if (view(args[i]) == "unix:") continue;
    if (ngx_ptocidr(&args[i], &cidr) == NGX_ERROR) {
      ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"gibbon_trusted_ips\" must hold addresses or CIDR ranges, not \"%V\"", &args[i]);
      return kConfError;
    }
    main_conf(cf).trusted.push_back(cidr);
  }
  return kConfOk;
}

/// A type and the file whose text takes the place of Kong's body. As in Kong, one that cannot be used is told and left.
char* set_error_template(ngx_conf_t* cf, ngx_command_t*, void*) {
  const auto given = arguments(cf);
  const auto type = given[0] == "json"   ? gateway::MediaType::kJson
                    : given[0] == "html" ? gateway::MediaType::kHtml
                    : given[0] == "xml"  ? gateway::MediaType::kXml
                                         : gateway::MediaType::kPlain;
  std::ifstream file(given[1], std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const Status replaced = file.is_open() ? main_conf(cf).error_templates.replace(type, text) : Error{"file not found", ""};
  if (!replaced.ok()) {
    ngx_conf_log_error(NGX_LOG_ERR, cf, 0, "failed reading the custom %s error template: %s: %s", given[0].c_str(),
                       given[1].c_str(), replaced.error().message.c_str());
  }
  return kConfOk;
}

/// Pairs of ports as Kong writes them: "80:8000", where clients use the first and the listener has the second.
char* set_port_maps(ngx_conf_t* cf, ngx_command_t*, void*) {
  for (const std::string& pair : arguments(cf)) {
    const auto colon = static_cast<std::ptrdiff_t>(std::min(pair.find(':'), pair.size()));
    const auto number = [&pair](std::ptrdiff_t from, std::ptrdiff_t to) {
      const ngx_int_t n = ngx_atoi(reinterpret_cast<u_char*>(const_cast<char*>(pair.data())) + from,
                                   static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, to - from)));
      return n > 0 && n <= 65535 ? static_cast<std::uint16_t>(n) : std::uint16_t{0};
    };
    const auto end = static_cast<std::ptrdiff_t>(pair.size());
    const std::uint16_t outside = number(0, colon), inside = number(std::min(colon + 1, end), end);
    if (outside == 0 || inside == 0) {
      ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"gibbon_port_maps\" must hold pairs of ports, not \"%s\"", pair.c_str());
      return kConfError;
    }
    main_conf(cf).port_maps.emplace_back(inside, outside);
  }
  return kConfOk;
}

char* set_debug_header(ngx_conf_t* cf, ngx_command_t*, void*) {
  main_conf(cf).allow_debug_header = arguments(cf).front() == "on";
  return kConfOk;
}

char* set_enabled(ngx_conf_t* cf, ngx_command_t* command, void* conf) {
  char* const result = ngx_conf_set_flag_slot(cf, command, conf);
  if (result == kConfOk && static_cast<LocConf*>(conf)->enabled == 1)
    static_cast<SrvConf*>(ngx_http_conf_get_module_srv_conf(cf, ngx_http_gibbon_module))->ours = true;
  return result;
}

/// Kong's `headers`: names of headers, the groups server_tokens and latency_tokens, or off.
char* set_headers(ngx_conf_t* cf, ngx_command_t*, void*) {
  ResponseHeaderSwitches on{false, false, false, false, false, false, false};
  for (const std::string& name : arguments(cf)) {
    const auto is = [&](std::string_view other) { return equals_ignoring_case(name, other); };
    if (is("off")) continue;
    if (is("server_tokens")) on.server = on.via = true;
    else if (is("latency_tokens")) on.upstream_latency = on.proxy_latency = on.response_latency = true;
    else if (is("Server")) on.server = true;
    else if (is("Via")) on.via = true;
    else if (is("X-Kong-Request-Id")) on.request_id = true;
    else if (is("X-Kong-Upstream-Latency")) on.upstream_latency = true;
    else if (is("X-Kong-Proxy-Latency")) on.proxy_latency = true;
    else if (is("X-Kong-Response-Latency")) on.response_latency = true;
    else if (is("X-Kong-Upstream-Status")) on.upstream_status = true;
    else if (!is("X-Kong-Admin-Latency")) {
      ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"gibbon_headers\" does not know \"%s\"", name.c_str());
      return kConfError;
    }
  }
  main_conf(cf).headers = on;
  return kConfOk;
}

char* set_headers_upstream(ngx_conf_t* cf, ngx_command_t*, void*) {
  main_conf(cf).upstream_request_id = false;
  for (const std::string& name : arguments(cf)) {
    if (equals_ignoring_case(name, "X-Kong-Request-Id")) main_conf(cf).upstream_request_id = true;
  }
  return kConfOk;
}

char* set_tls_verify(ngx_conf_t* cf, ngx_command_t*, void*) {
  const std::string value = arguments(cf).front();
  if (value != "on" && value != "off") {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"gibbon_tls_verify\" must be \"on\" or \"off\", not \"%s\"", value.c_str());
    return kConfError;
  }
  main_conf(cf).tls_verify = value == "on";
  return kConfOk;
}

}  // namespace

MainConf* main_conf(const ngx_http_request_t* r) {
  return static_cast<MainConf*>(ngx_http_get_module_main_conf(r, ngx_http_gibbon_module));
}

MainConf* main_conf(const ngx_cycle_t* cycle) {
  return static_cast<MainConf*>(ngx_http_cycle_get_module_main_conf(cycle, ngx_http_gibbon_module));
}

void* create_main_conf(ngx_conf_t* cf) {
  ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(cf->pool, sizeof(MainConf));
  if (cleanup == nullptr) return nullptr;
  auto* conf = new (cleanup->data) MainConf;
  cleanup->handler = destroy_main_conf;
  return conf;
}

void* create_srv_conf(ngx_conf_t* cf) { return ngx_pcalloc(cf->pool, sizeof(SrvConf)); }

void* create_loc_conf(ngx_conf_t* cf) {
  auto* conf = static_cast<LocConf*>(ngx_pcalloc(cf->pool, sizeof(LocConf)));
  if (conf != nullptr) conf->enabled = NGX_CONF_UNSET;
  return conf;
}

char* merge_loc_conf(ngx_conf_t*, void* parent, void* child) {
  auto* from = static_cast<LocConf*>(parent);
  auto* to = static_cast<LocConf*>(child);
  ngx_conf_merge_value(to->enabled, from->enabled, 0);
  return kConfOk;
}

char* set_error_handler(ngx_conf_t* cf, ngx_command_t*, void*);
char* set_balancer(ngx_conf_t* cf, ngx_command_t*, void*);

ngx_command_t directives[] = {
    {ngx_string("gibbon_shared"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_text<&MainConf::shared_directory>, 0, 0, nullptr},
    {ngx_string("gibbon_ring_size"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_ring_size, 0, 0, nullptr},
    {ngx_string("gibbon_plugins"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_list<&MainConf::plugin_names>, 0, 0, nullptr},
    {ngx_string("gibbon_plugin_path"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_list<&MainConf::plugin_directories>, 0, 0, nullptr},
    {ngx_string("gibbon_plugin_wait"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_plugin_wait, 0, 0, nullptr},
    {ngx_string("gibbon_node_id"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_text<&MainConf::node_id>, 0, 0, nullptr},
    {ngx_string("gibbon_hosts_file"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_text<&MainConf::hosts_file>, 0, 0, nullptr},
    {ngx_string("gibbon_resolv_conf"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_text<&MainConf::resolv_conf>, 0, 0, nullptr},
    {ngx_string("gibbon_dns_order"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_dns_order, 0, 0, nullptr},
    {ngx_string("gibbon_dns_ttl"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_dns_ttl, 0, 0, nullptr},
    {ngx_string("gibbon_trusted_certificates"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_text<&MainConf::trusted_certificates>, 0, 0, nullptr},
    {ngx_string("gibbon_trusted_ips"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_trusted, 0, 0, nullptr},
    {ngx_string("gibbon_headers"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_headers, 0, 0, nullptr},
    {ngx_string("gibbon_headers_upstream"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_headers_upstream, 0, 0, nullptr},
    {ngx_string("gibbon_tls_verify"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_tls_verify, 0, 0, nullptr},
    {ngx_string("gibbon_error_default_type"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_text<&MainConf::error_default_type>, 0, 0, nullptr},
    {ngx_string("gibbon_error_template"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE2, set_error_template, 0, 0, nullptr},
    {ngx_string("gibbon_allow_debug_header"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_debug_header, 0, 0, nullptr},
    {ngx_string("gibbon_port_maps"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_port_maps, 0, 0, nullptr},
    {ngx_string("gibbon"), NGX_HTTP_LOC_CONF | NGX_CONF_FLAG, set_enabled, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(LocConf, enabled), nullptr},
    {ngx_string("gibbon_error_handler"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, set_error_handler, 0, 0, nullptr},
    {ngx_string("gibbon_balancer"), NGX_HTTP_UPS_CONF | NGX_CONF_NOARGS, set_balancer, 0, 0, nullptr},
    ngx_null_command,
};

}  // namespace gibbon::nginx
