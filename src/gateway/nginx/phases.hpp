#pragma once

#include "gateway/nginx/ngx.hpp"

namespace gibbon::nginx {

/// REWRITE: pins the configuration, runs the `rewrite` plugins, and matches a route.
ngx_int_t rewrite_phase(ngx_http_request_t* r) noexcept;
/// ACCESS: runs the `access` plugins, finds the upstream's addresses, reads the body where the route buffers it.
/// May suspend the request and be called again.
ngx_int_t access_phase(ngx_http_request_t* r) noexcept;
/// LOG: runs the `log` plugins.
ngx_int_t log_phase(ngx_http_request_t* r) noexcept;
/// Puts Gibbon's header, body and request body filters into nginx's chains.
void install_filters();
/// CERTIFICATE: runs the global `certificate` plugins in every TLS handshake of every server.
ngx_int_t install_certificate_phase(ngx_conf_t* cf);

}  // namespace gibbon::nginx
