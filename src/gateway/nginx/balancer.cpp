// The `gibbon_balancer` directive: the peer of each try, and the upstream settings of the request's service.

#include "gateway/nginx/context.hpp"

namespace gibbon::nginx {
namespace {

struct Peers {
  Context* ctx;
  std::size_t next;
};

ngx_int_t get_peer(ngx_peer_connection_t* pc, void* data) noexcept {
  auto* peers = static_cast<Peers*>(data);
  auto& list = peers->ctx->addresses->peers;
  PeerAddress& peer = list[peers->next++ % list.size()];
  pc->cached = 0;
  pc->connection = nullptr;
  pc->sockaddr = peer.address();
  pc->socklen = peer.socklen;
  // The connection's log may name the peer after this request is gone, but never after its generation.
  auto* name = static_cast<ngx_str_t*>(ngx_palloc(peers->ctx->r->pool, sizeof(ngx_str_t)));
  if (name == nullptr) return NGX_ERROR;
  *name = str(peer.name);
  pc->name = name;
  return NGX_OK;
}

void free_peer(ngx_peer_connection_t* pc, void*, ngx_uint_t) noexcept {
  if (pc->tries > 0) --pc->tries;
}

#if (NGX_HTTP_SSL)
ngx_int_t set_session(ngx_peer_connection_t* pc, void* data) noexcept {
  static_cast<Peers*>(data)->ctx->target->prepare_handshake(pc->connection->ssl->connection);
  return NGX_OK;
}

void save_session(ngx_peer_connection_t* pc, void* data) noexcept {
  static_cast<Peers*>(data)->ctx->target->keep_session(ngx_ssl_get_session(pc->connection));
}
#endif

/// Runs for each request after its head was rendered and before the first peer is asked for.
ngx_int_t init_peer(ngx_http_request_t* r, ngx_http_upstream_srv_conf_t*) noexcept {
  Context* ctx = Context::find(r);
  if (ctx == nullptr || ctx->target == nullptr || ctx->addresses == nullptr) return NGX_ERROR;
  ngx_http_upstream_t* u = r->upstream;
  auto* peers = static_cast<Peers*>(ngx_palloc(r->pool, sizeof(Peers)));
  if (peers == nullptr) return NGX_ERROR;
  *peers = {ctx, ctx->target->next_start()};

  if (ctx->client_target.data != nullptr) r->unparsed_uri = ctx->client_target;  // Lent for the request line alone.
  u->conf = ctx->target->settings(*u->conf);
#if (NGX_HTTP_SSL)
  u->ssl = ctx->target->tls() ? 1 : 0;
#endif
#if (NGX_HTTP_SSL)
  u->peer.set_session = set_session;
  u->peer.save_session = save_session;
#endif
  if (!ctx->route->response_buffering) u->buffering = 0;

  u->peer.data = peers;
  u->peer.get = get_peer;
  u->peer.free = free_peer;
  u->peer.tries = ctx->service->retries + 1;
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
  auto* us = static_cast<ngx_http_upstream_srv_conf_t*>(ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module));
  us->peer.init_upstream = init_upstream;
  us->flags = NGX_HTTP_UPSTREAM_CREATE;
  return nullptr;
}

}  // namespace gibbon::nginx
