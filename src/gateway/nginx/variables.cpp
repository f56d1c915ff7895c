// The variables that the generated nginx.conf uses.
//
// $gibbon_upstream_headers   proxy_pass: the value of Via and all further lines (see prepare_headers)
// $gibbon_upstream_host      grpc_pass: the Host header
// $gibbon_upstream_name      the name for TLS: SNI and the certificate's check
// $gibbon_forwarded_*        grpc_pass: X-Forwarded-*, which HTTP/2 cannot take as one block
// $gibbon_request_id         access logs, and X-Kong-Request-Id for gRPC

#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/forward.hpp"
#include "gateway/router/path.hpp"

namespace gibbon::nginx {
namespace {

using Getter = ngx_str_t (*)(Context&);

ngx_str_t upstream_headers(Context& ctx) { return ctx.upstream_headers; }
ngx_str_t upstream_host(Context& ctx) { return ctx.upstream_host; }
ngx_str_t request_id(Context& ctx) { return str(ctx.request_id()); }
ngx_str_t forwarded_prefix(Context& ctx) { return str(ctx.matched_prefix); }
ngx_str_t forwarded_path(Context& ctx) { return str(gateway::path_of(view(ctx.client_target))); }

ngx_str_t upstream_name(Context& ctx) {
  if (ctx.service == nullptr) return {0, nullptr};
  if (!ctx.route->preserve_host) return str(ctx.service->host);
  return ctx.r->headers_in.server;
}

template <Getter getter>
ngx_int_t get(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t) noexcept {
  Context* ctx = Context::find(r);
  const ngx_str_t value = ctx != nullptr ? getter(*ctx) : ngx_str_t{0, nullptr};
  v->valid = value.data != nullptr;
  v->not_found = value.data == nullptr;
  v->no_cacheable = 1;
  v->len = static_cast<unsigned>(value.len);
  v->data = value.data;
  return NGX_OK;
}

struct Variable {
  const char* name;
  ngx_http_get_variable_pt handler;
};

constexpr Variable kVariables[] = {
    {"gibbon_upstream_headers", get<upstream_headers>}, {"gibbon_upstream_host", get<upstream_host>},
    {"gibbon_upstream_name", get<upstream_name>},       {"gibbon_forwarded_prefix", get<forwarded_prefix>},
    {"gibbon_forwarded_path", get<forwarded_path>},     {"gibbon_request_id", get<request_id>},
};

}  // namespace

ngx_int_t add_variables(ngx_conf_t* cf) {
  for (const Variable& variable : kVariables) {
    ngx_str_t name = str(variable.name);
    ngx_http_variable_t* v = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE | NGX_HTTP_VAR_NOHASH);
    if (v == nullptr) return NGX_ERROR;
    v->get_handler = variable.handler;
  }
  return NGX_OK;
}

}  // namespace gibbon::nginx
