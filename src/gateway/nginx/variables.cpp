// The variables that the generated nginx.conf uses.
//
// $gibbon_forwarded            proxy_pass: the value of Via, and all further lines of the head (see prepare_headers)
// $gibbon_upstream_host        grpc_pass: the Host header
// $gibbon_upstream_host_name   the name for TLS: SNI and the certificate's check
// $gibbon_forwarded_for, ...   grpc_pass: Via and X-Forwarded-*, which HTTP/2 cannot take as one block
// $kong_request_id             access logs, and X-Kong-Request-Id for gRPC: Kong's name for it

#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/forward.hpp"

namespace gibbon::nginx {
namespace {

using Getter = ngx_str_t (*)(Context&);

ngx_str_t forwarded(Context& ctx) { return ctx.upstream_headers; }
ngx_str_t upstream_host(Context& ctx) { return ctx.upstream_host; }
ngx_str_t request_id(Context& ctx) { return str(ctx.request_id()); }
ngx_str_t via(Context& ctx) { return str(ctx.forwarded.via); }
ngx_str_t forwarded_for(Context& ctx) { return str(ctx.forwarded.for_); }
ngx_str_t forwarded_proto(Context& ctx) { return str(ctx.forwarded.proto); }
ngx_str_t forwarded_host(Context& ctx) { return str(ctx.forwarded.host); }
ngx_str_t forwarded_port(Context& ctx) { return str(ctx.forwarded.port); }
ngx_str_t forwarded_path(Context& ctx) { return str(ctx.forwarded.path); }
ngx_str_t forwarded_prefix(Context& ctx) { return str(ctx.forwarded.prefix); }
ngx_str_t upstream_request_id(Context& ctx) { return str(ctx.forwarded.request_id); }

ngx_str_t upstream_name(Context& ctx) {
  return ctx.service == nullptr ? ngx_str_t{0, nullptr} : str(upstream_host_name(ctx));
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
    {"gibbon_forwarded", get<forwarded>},
    {"gibbon_upstream_host", get<upstream_host>},
    {"gibbon_upstream_host_name", get<upstream_name>},
    {"gibbon_via", get<via>},
    {"gibbon_forwarded_for", get<forwarded_for>},
    {"gibbon_forwarded_proto", get<forwarded_proto>},
    {"gibbon_forwarded_host", get<forwarded_host>},
    {"gibbon_forwarded_port", get<forwarded_port>},
    {"gibbon_forwarded_path", get<forwarded_path>},
    {"gibbon_forwarded_prefix", get<forwarded_prefix>},
    {"gibbon_upstream_request_id", get<upstream_request_id>},
    {"kong_request_id", get<request_id>},
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
