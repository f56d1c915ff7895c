// What nginx sees: the module, its phases and its life. The way of a request through these files:
// phases.cpp (rewrite, access) -> tries.cpp -> forward.cpp -> balancer.cpp -> filters.cpp -> phases.cpp (log)
// -> record.cpp. Every function that nginx calls is noexcept.

#include <csignal>

#include "gateway/nginx/conf.hpp"
#include "gateway/nginx/forward.hpp"
#include "gateway/nginx/phases.hpp"
#include "gateway/nginx/names.hpp"
#include "gateway/nginx/worker.hpp"

namespace gibbon::nginx {
namespace {

ngx_int_t preconfiguration(ngx_conf_t* cf) noexcept { return add_variables(cf); }

ngx_int_t add_phase(ngx_conf_t* cf, ngx_http_phases phase, ngx_http_handler_pt handler) {
  auto* cmcf = static_cast<ngx_http_core_main_conf_t*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
  auto* slot = static_cast<ngx_http_handler_pt*>(ngx_array_push(&cmcf->phases[phase].handlers));
  if (slot == nullptr) return NGX_ERROR;
  *slot = handler;
  return NGX_OK;
}

ngx_int_t load_plugins(ngx_conf_t* cf, MainConf& conf) {
  auto registry = plugin::Registry::load(conf.plugin_names, conf.plugin_directories);
  if (!registry.ok()) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "plugins: %s", registry.error().message.c_str());
    return NGX_ERROR;
  }
  conf.registry = std::move(registry).value();
  return NGX_OK;
}

ngx_int_t postconfiguration(ngx_conf_t* cf) noexcept {
  try {
    auto& conf = *static_cast<MainConf*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_gibbon_module));
    if (conf.shared_directory.empty()) return NGX_OK;  // Loaded, but not used.
    if (load_plugins(cf, conf) != NGX_OK) return NGX_ERROR;
    if (add_phase(cf, NGX_HTTP_REWRITE_PHASE, rewrite_phase) != NGX_OK) return NGX_ERROR;
    if (add_phase(cf, NGX_HTTP_ACCESS_PHASE, access_phase) != NGX_OK) return NGX_ERROR;
    if (add_phase(cf, NGX_HTTP_LOG_PHASE, log_phase) != NGX_OK) return NGX_ERROR;
    read_resolver_files(conf.hosts_file, conf.resolv_conf);
    install_filters();
    return install_certificate_phase(cf);
  } catch (const std::exception& e) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "gibbon: %s", e.what());
    return NGX_ERROR;
  }
}

bool used(ngx_cycle_t* cycle) {
  return ngx_get_conf(cycle->conf_ctx, ngx_http_module) != nullptr && main_conf(cycle) != nullptr &&
         !main_conf(cycle)->shared_directory.empty();
}

ngx_int_t init_process(ngx_cycle_t* cycle) noexcept {
  if (used(cycle)) start_worker(*main_conf(cycle), cycle->log);
  return NGX_OK;  // A worker that fails here would not be started again.
}

void exit_process(ngx_cycle_t*) noexcept { stop_worker(); }

ngx_http_module_t module_context = {
    .preconfiguration = preconfiguration,
    .postconfiguration = postconfiguration,
    .create_main_conf = create_main_conf,
    .init_main_conf = nullptr,
    .create_srv_conf = create_srv_conf,
    .merge_srv_conf = nullptr,
    .create_loc_conf = create_loc_conf,
    .merge_loc_conf = merge_loc_conf,
};

}  // namespace
}  // namespace gibbon::nginx

extern "C" {

ngx_module_t ngx_http_gibbon_module = {
    NGX_MODULE_V1,
    &gibbon::nginx::module_context,
    gibbon::nginx::directives,
    NGX_HTTP_MODULE,
    nullptr,  // init master
    nullptr,  // init module
    gibbon::nginx::init_process,
    nullptr,  // init thread
    nullptr,  // exit thread
    gibbon::nginx::exit_process,
    nullptr,  // exit master
    NGX_MODULE_V1_PADDING,
};

__attribute__((visibility("default"))) ngx_module_t* ngx_modules[] = {&ngx_http_gibbon_module, nullptr};
__attribute__((visibility("default"))) char* ngx_module_names[] = {const_cast<char*>("ngx_http_gibbon_module"), nullptr};
// Among the filters: before nginx's own gzip, so that bodies are seen as the client's protocol carries them.
__attribute__((visibility("default"))) char* ngx_module_order[] = {
    const_cast<char*>("ngx_http_gibbon_module"), const_cast<char*>("ngx_http_copy_filter_module"), nullptr};

}
