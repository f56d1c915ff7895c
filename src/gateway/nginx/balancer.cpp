// The `gibbon_balancer` directive: the peer of each try, and the upstream settings of the request's service.

#include <time.h>

#include <new>

#include "gateway/nginx/context.hpp"
#include "gateway/nginx/forward.hpp"
#include "record/record.hpp"

namespace gibbon::nginx {
namespace {

/// Renders the request's head anew where the peer goes by another name than the one before.
ngx_int_t render_for(Context& ctx, const gateway::Peer* peer) {
  if (peer == ctx.rendered_for) return NGX_OK;
  ngx_http_request_t* r = ctx.r;
  ngx_http_upstream_t* u = r->upstream;
  const std::string_view before = view(ctx.upstream_host);
  set_upstream_host(ctx);
  if (view(ctx.upstream_host) == before) return NGX_OK;
  if (!prepare_headers(ctx)) return NGX_ERROR;
  u->request_bufs = r->request_body != nullptr ? r->request_body->bufs : nullptr;
  lend_request_line(ctx);
  const ngx_int_t rc = u->create_request(r);
  take_back_request_line(ctx);
  return rc;
}

/// The status of the try before the one that begins: nginx has made the new one's state already.
ngx_uint_t status_before(const ngx_http_request_t* r) {
  const ngx_array_t* states = r->upstream_states;
  if (states == nullptr || states->nelts < 2) return 0;
  return static_cast<ngx_http_upstream_state_t*>(states->elts)[states->nelts - 2].status;
}

std::uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);  // No system call: from the vDSO.
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

/// For the request's record: how the try before ended, and where the new one goes.
void note_try(Context& ctx, const PeerAddress& address, std::uint64_t started_ns) {
  if (ctx.noted_tries == nullptr)
    ctx.noted_tries = static_cast<NotedTry*>(ngx_palloc(ctx.r->pool, record::kMaxTries * sizeof(NotedTry)));
  if (ctx.noted_tries == nullptr || ctx.noted_count == record::kMaxTries) return;
  NotedTry& noted = *new (ctx.noted_tries + ctx.noted_count++) NotedTry;
  noted.started_ns = started_ns;
  noted.latency_ns = now_ns() - started_ns;
  noted.address = reinterpret_cast<const sockaddr*>(address.bytes);
  noted.address_length = address.socklen;
}

void note_end_of_try(Context& ctx, std::uint16_t status) {
  if (ctx.noted_count == 0 || status == 0) return;
  NotedTry& noted = ctx.noted_tries[ctx.noted_count - 1];
  noted.code = status;
  noted.state = ctx.tries->failed() ? Try::State::kFailed : Try::State::kNext;
}

ngx_int_t get_peer(ngx_peer_connection_t* pc, void* data) noexcept {
  Context& ctx = *static_cast<Context*>(data);
  try {
    const std::uint64_t started_ns = now_ns();
    const auto before = static_cast<std::uint16_t>(status_before(ctx.r));
    note_end_of_try(ctx, before);
    ctx.tries->report(before, 0);
    const gateway::Peer* peer = ctx.tries->next();
    if (peer == nullptr) {
      ctx.no_peer = true;
      pc->tries = 0;
      return NGX_BUSY;
    }
    if (render_for(ctx, peer) != NGX_OK) return NGX_ERROR;
    auto* name = static_cast<ngx_str_t*>(ngx_palloc(ctx.r->pool, sizeof(ngx_str_t)));
    auto* address = static_cast<PeerAddress*>(ngx_palloc(ctx.r->pool, sizeof(PeerAddress)));
    if (name == nullptr || address == nullptr) return NGX_ERROR;
    *name = str(peer->name);  // ctx.tries holds the peer until the request's pool goes.
    *address = ctx.target->address(*peer, upstream_host_name(ctx));
    note_try(ctx, *address, started_ns);
    pc->cached = 0;
    pc->connection = nullptr;
    pc->sockaddr = reinterpret_cast<sockaddr*>(address->bytes);
    pc->socklen = address->socklen;
    pc->name = name;
    ctx.tries->begun();
    return NGX_OK;
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_ERR, ctx.r->connection->log, 0, "gibbon: balancer: %s", e.what());
    return NGX_ERROR;
  }
}

/// Gives the request upstream settings of its own; null without memory.
ngx_http_upstream_conf_t* own_settings(ngx_http_request_t* r) {
  auto* own = static_cast<ngx_http_upstream_conf_t*>(ngx_palloc(r->pool, sizeof(ngx_http_upstream_conf_t)));
  if (own == nullptr) return nullptr;
  *own = *r->upstream->conf;
  r->upstream->conf = own;
  return own;
}

bool use_timeouts(ngx_http_request_t* r, const UpstreamTimeouts& timeouts) {
  ngx_http_upstream_conf_t* own = own_settings(r);
  if (own == nullptr) return false;
  own->connect_timeout = timeouts.connect;
  own->send_timeout = timeouts.write;
  own->read_timeout = timeouts.read;
  return true;
}

/// Whether the request must not be sent again though nginx, which judges by the client's method, would do so.
bool must_not_repeat(const Context& ctx) {
  constexpr ngx_uint_t kNotIdempotent = NGX_HTTP_POST | NGX_HTTP_LOCK | NGX_HTTP_PATCH;
  const ngx_http_upstream_t& u = *ctx.r->upstream;
  return (ctx.upstream_method & kNotIdempotent) != 0 && (ctx.r->method & kNotIdempotent) == 0 && u.request_sent &&
         (u.conf->next_upstream & NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT) == 0;
}

void free_peer(ngx_peer_connection_t* pc, void* data, ngx_uint_t state) noexcept {
  Context& ctx = *static_cast<Context*>(data);
  using End = Tries::End;
  ctx.tries->ended((state & NGX_PEER_FAILED) == 0 ? End::kAnswered
                   : pc->cached                   ? End::kFailedOnReused
                                                  : End::kFailed);
  if (pc->tries > 0) --pc->tries;
  if ((state & NGX_PEER_FAILED) == 0 || !must_not_repeat(ctx)) return;
  if (ngx_http_upstream_conf_t* own = own_settings(ctx.r)) own->next_upstream = 0;
}

#if (NGX_HTTP_SSL)
ngx_int_t set_session(ngx_peer_connection_t* pc, void* data) noexcept {
  Context& ctx = *static_cast<Context*>(data);
  if (ctx.target->prepare_handshake(pc->connection->ssl->connection, view(ctx.r->upstream->ssl_name)))
    return NGX_OK;
  ngx_log_error(NGX_LOG_ERR, pc->log, 0, "the service's certificates cannot be used for a handshake");
  return NGX_ERROR;
}

void save_session(ngx_peer_connection_t* pc, void* data) noexcept {
  Context& ctx = *static_cast<Context*>(data);
  ctx.target->keep_session(ngx_ssl_get_session(pc->connection), view(ctx.r->upstream->ssl_name));
}
#endif

/// Runs for each request after its head was rendered and before the first peer is asked for.
ngx_int_t init_peer(ngx_http_request_t* r, ngx_http_upstream_srv_conf_t*) noexcept {
  Context* ctx = Context::find(r);
  if (ctx == nullptr || ctx->target == nullptr || ctx->tries == nullptr) return NGX_ERROR;
  ngx_http_upstream_t* u = r->upstream;

  take_back_request_line(*ctx);
  if (ctx->logged_target.data != nullptr) u->uri = ctx->logged_target;  // For nginx's error log alone.
  u->conf = ctx->target->settings(*u->conf);
  if (ctx->chosen_timeouts != nullptr && !use_timeouts(r, *ctx->chosen_timeouts)) return NGX_ERROR;
#if (NGX_HTTP_SSL)
  u->ssl = ctx->target->tls() ? 1 : 0;
#endif
#if (NGX_HTTP_SSL)
  u->peer.set_session = set_session;
  u->peer.save_session = save_session;
#endif
  if (!ctx->route->response_buffering) u->buffering = 0;

  u->peer.data = ctx;
  u->peer.get = get_peer;
  u->peer.free = free_peer;
  u->peer.tries = upstream_retries(*ctx) + 1;
  ctx->proxied = true;
  ctx->proxy_started_ms = now_ms();
  return NGX_OK;
}

ngx_int_t init_upstream(ngx_conf_t*, ngx_http_upstream_srv_conf_t* us) noexcept {
  us->peer.init = init_peer;
  return NGX_OK;
}

}  // namespace

char* set_balancer(ngx_conf_t* cf, ngx_command_t*, void*) {
  auto* us = static_cast<ngx_http_upstream_srv_conf_t*>(
      ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module));
  us->peer.init_upstream = init_upstream;
  us->flags = NGX_HTTP_UPSTREAM_CREATE;
  return nullptr;
}

}  // namespace gibbon::nginx
