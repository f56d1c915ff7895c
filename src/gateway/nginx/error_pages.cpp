// The `gibbon_error_handler` directive: the content of /kong_error_handler, where nginx sends what it refused.

#include <string>

#include "gateway/nginx/answers.hpp"

namespace gibbon::nginx {
namespace {

/// Kong's texts.
std::string message_for(int status) {
  switch (status) {
    case 400: return "Bad request";
    case 404: return "Not found";
    case 405: return "Method not allowed";
    case 408: return "Request timeout";
    case 411: return "Length required";
    case 412: return "Precondition failed";
    case 413: return "Payload too large";
    case 414: return "URI too long";
    case 417: return "Expectation failed";
    case 494: return "Request header or cookie too large";
    case 500: return "An unexpected error occurred";
    case 502: return "An invalid response was received from the upstream server";
    case 503: return "The upstream server is currently unavailable";
    case 504: return "The upstream server is timing out";
    default: return "The upstream server responded with " + std::to_string(status);
  }
}

ngx_int_t handle_error(ngx_http_request_t* r) noexcept {
  try {
    Context* ctx = Context::of(r);
    if (ctx == nullptr) return NGX_ERROR;
    int refused = static_cast<int>(r->err_status != 0 ? r->err_status : NGX_HTTP_INTERNAL_SERVER_ERROR);
    if (ctx->no_peer) refused = NGX_HTTP_SERVICE_UNAVAILABLE;  // nginx says 502.
    const int status = refused == NGX_HTTP_REQUEST_HEADER_TOO_LARGE ? NGX_HTTP_BAD_REQUEST : refused;
    ctx->answer = error_page_answer(*ctx, status, message_for(refused));
    r->err_status = static_cast<ngx_uint_t>(status);
    return send_answer(*ctx);
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "gibbon: error handler: %s", e.what());
    return NGX_ERROR;
  }
}

}  // namespace

char* set_error_handler(ngx_conf_t* cf, ngx_command_t*, void*) {
  auto* clcf = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  clcf->handler = handle_error;
  return nullptr;
}

}  // namespace gibbon::nginx
