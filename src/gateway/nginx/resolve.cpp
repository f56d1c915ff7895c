#include "gateway/nginx/resolve.hpp"

namespace gibbon::nginx {
namespace {

/// How long a name that could not be looked up keeps its last known addresses, in seconds.
constexpr time_t kStaleValid = 5;

ngx_int_t ask(Context& ctx);

void answered(ngx_resolver_ctx_t* rctx) noexcept {
  Context& ctx = *static_cast<Context*>(rctx->data);
  ngx_http_request_t* r = ctx.r;
  ngx_connection_t* c = r->connection;
  const bool asynchronous = ctx.stage == Stage::kResolving;
  if (rctx->state == NGX_OK && rctx->naddrs > 0) {
    ctx.target->set_addresses(rctx->addrs, rctx->naddrs, std::max<time_t>(rctx->valid, ngx_time() + 1));
    ctx.addresses = ctx.target->acquire_stale();
  } else {
    ngx_log_error(NGX_LOG_WARN, c->log, 0, "%V could not be resolved (%i: %s)", &rctx->name, rctx->state,
                  ngx_resolver_strerror(rctx->state));
    ++ctx.resolving_name;
  }
  ngx_resolve_name_done(rctx);
  ctx.resolving = nullptr;
  if (!asynchronous) return;
  ctx.stage = Stage::kRouted;
  ngx_http_core_run_phases(r);
  ngx_http_run_posted_requests(c);
}

/// Asks for the next name that is left. NGX_OK: there are addresses; NGX_AGAIN: the answer is under way.
ngx_int_t ask(Context& ctx) {
  auto* clcf = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_get_module_loc_conf(ctx.r, ngx_http_core_module));
  const auto& names = ctx.target->names();
  while (ctx.addresses == nullptr && ctx.resolving_name < names.size()) {
    const std::size_t asked = ctx.resolving_name;
    ngx_resolver_ctx_t* rctx = ngx_resolve_start(clcf->resolver, nullptr);
    if (rctx == nullptr || rctx == NGX_NO_RESOLVER) return NGX_ERROR;
    rctx->name = str(names[asked]);
    rctx->handler = answered;
    rctx->data = &ctx;
    rctx->timeout = clcf->resolver_timeout;
    ctx.resolving = rctx;
    ctx.stage = Stage::kRouted;
    if (ngx_resolve_name(rctx) != NGX_OK) {  // It frees what it was given.
      ctx.resolving = nullptr;
      return NGX_ERROR;
    }
    if (ctx.resolving != nullptr) {
      ctx.stage = Stage::kResolving;
      return NGX_AGAIN;
    }
  }
  return ctx.addresses != nullptr ? NGX_OK : NGX_ERROR;
}

}  // namespace

ngx_int_t resolve(Context& ctx) {
  if (ctx.stage == Stage::kResolving) return NGX_AGAIN;
  if (ctx.resolving_name == 0) {
    ctx.addresses = ctx.target->acquire(ngx_time());
    if (ctx.addresses != nullptr) return NGX_OK;
  }
  const ngx_int_t rc = ask(ctx);
  if (rc != NGX_ERROR) return rc;
  ctx.addresses = ctx.target->acquire_stale();
  if (ctx.addresses == nullptr) return NGX_ERROR;
  ctx.target->keep_stale(ngx_time() + kStaleValid);
  return NGX_OK;
}

}  // namespace gibbon::nginx
