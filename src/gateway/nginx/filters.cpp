// The header, body and request body filters: where plugins see the answer, and where bodies are captured in passing.

#include <unistd.h>

#include <charconv>

#include "base/version.hpp"
#include "gateway/nginx/answers.hpp"
#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/conf.hpp"
#include "gateway/nginx/forward.hpp"
#include "gateway/nginx/hash_input.hpp"
#include "gateway/nginx/phases.hpp"

namespace gibbon::nginx {
namespace {

ngx_http_output_header_filter_pt next_header_filter;
ngx_http_output_body_filter_pt next_body_filter;
ngx_http_request_body_filter_pt next_request_body_filter;

ngx_str_t number_in_pool(ngx_pool_t* pool, std::int64_t n) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, n);
  return copy_to_pool(pool, {digits, static_cast<std::size_t>(end.ptr - digits)});
}

std::int64_t not_negative(std::int64_t ms) { return ms < 0 ? 0 : ms; }

/// The upstream's headers that are for its own connection alone, or that the client did not ask for.
void drop_hop_by_hop_answer(Context& ctx) {
  const ngx_http_upstream_t* u = ctx.r->upstream;
  if (u == nullptr) return;
  const std::string_view connection = u->headers_in.connection != nullptr ? view(u->headers_in.connection->value) : "";
  const bool names = !connection.empty() && !equals_ignoring_case(connection, "keep-alive") &&
                     !equals_ignoring_case(connection, "close") && !equals_ignoring_case(connection, "upgrade");
  each_header(ctx.r->headers_out.headers, [&](ngx_table_elt_t& h) {
    const std::string_view name = view(h.key);
    const auto is = [name](std::string_view other) { return equals_ignoring_case(name, other); };
    if (is("content-length") || is("close") || is("keep-alive")) return;
    if (is("upgrade")) {
      if (!ctx.websocket || !equals_ignoring_case(view(h.value), "websocket")) h.hash = 0;
    } else if ((is("trailer") && !ctx.wants_trailers) || (names && list_has(connection, name))) {
      h.hash = 0;
    }
  });
}

/// Sets a header, in the place of those that the upstream sent by this name.
void set_header(ngx_http_request_t* r, std::string_view name, ngx_str_t value) {
  ngx_table_elt_t* first = nullptr;
  each_header(r->headers_out.headers, [&](ngx_table_elt_t& h) {
    if (h.hash == 0 || h.key.len != name.size() || !equals_ignoring_case(view(h.key), name)) return;
    if (first == nullptr) {
      first = &h;
    } else {
      h.hash = 0;
    }
  });
  if (first == nullptr) {
    add_answer_header(r, str(name), value);
  } else if (value.data != nullptr) {
    first->value = value;
  }
}

/// Our entry behind those of the upstream's Via.
void set_via(Context& ctx) {
  std::string_view list;
  each_header(ctx.r->headers_out.headers, [&](ngx_table_elt_t& h) {
    if (h.hash != 0 && h.key.len == 3 && equals_ignoring_case(view(h.key), "via")) list = appended(ctx, list, view(h.value));
  });
  set_header(ctx.r, "Via", str(appended(ctx, list, via_token(ctx.grpc ? ViaVersion::kHttp2 : ViaVersion::kHttp11))));
}

/// Server: the upstream's, or ours. Where ours is switched off, our own answers have none.
void add_server(Context& ctx, const ResponseHeaderSwitches& on) {
  ngx_http_request_t* r = ctx.r;
  // nginx leaves a mark of no value for an upstream that sent none.
  const bool has_one = r->headers_out.server != nullptr && r->headers_out.server->hash != 0;
  if (has_one || (!on.server && ctx.proxied)) return;
  r->headers_out.server = add_answer_header(r, str("Server"), str(kServerTokens));
  if (r->headers_out.server != nullptr && !on.server) r->headers_out.server->hash = 0;
}

/// Kong's own headers, in Kong's order.
void add_kong_headers(Context& ctx) {
  ngx_http_request_t* r = ctx.r;
  const ResponseHeaderSwitches& on = main_conf(r)->headers;
  const std::int64_t now = now_ms();
  if (ctx.proxied) {
    ctx.upstream_header_ms = now;
    if (on.upstream_status && r->upstream != nullptr && r->upstream->state != nullptr)
      set_header(r, "X-Kong-Upstream-Status", number_in_pool(r->pool, static_cast<std::int64_t>(r->upstream->state->status)));
    if (on.upstream_latency)
      set_header(r, "X-Kong-Upstream-Latency", number_in_pool(r->pool, not_negative(now - ctx.proxy_started_ms)));
    if (on.proxy_latency)
      set_header(r, "X-Kong-Proxy-Latency", number_in_pool(r->pool, not_negative(ctx.proxy_started_ms - started_ms(r))));
    if (on.via) set_via(ctx);
  } else if (on.response_latency) {
    set_header(r, "X-Kong-Response-Latency", number_in_pool(r->pool, not_negative(now - started_ms(r))));
  }
  add_server(ctx, on);
  if (on.request_id) set_header(r, "X-Kong-Request-Id", str(ctx.request_id()));
}

ngx_int_t header_filter(ngx_http_request_t* r) noexcept {
  if (r != r->main || r->header_sent) return next_header_filter(r);
  Context* ctx = Context::of(r);
  if (ctx == nullptr || ctx->headers_filtered) return next_header_filter(r);
  ctx->headers_filtered = true;
  if (ctx->proxied && r->upstream != nullptr && r->upstream->headers_in.content_length_n == -1) {
    // The length is unknown: a stream. nginx would wait for a full buffer; each piece goes on as it comes instead.
    r->upstream->buffering = 0;
  }
  if (ctx->proxied) drop_hop_by_hop_answer(*ctx);
  if (ctx->proxied && ctx->hash_cookie.data != nullptr) set_hash_cookie(*ctx);
  run_phase(*ctx, ctx->chain().header_filter(), "header_filter",
            [&](const gateway::ChainItem& item) { item.plugin->header_filter(ctx->exchange, item.config); });
  add_kong_headers(*ctx);
  if (r->headers_out.content_length_n > 0) ctx->response_body.expect(static_cast<std::uint64_t>(r->headers_out.content_length_n));
  const ngx_int_t rc = next_header_filter(r);
  ctx->kept_alive = r->keepalive;
  return rc;
}

/// The captured beginning of a piece that lies in a file: a body that nginx had to buffer on disk.
void capture_from_file(Context& ctx, const ngx_buf_t& b, capture::BodyCapture& body) {
  const auto length = static_cast<std::uint64_t>(b.file_last - b.file_pos);
  const std::size_t n = std::min<std::uint64_t>(length, body.room());
  if (n > 0) {
    if (char* to = body.reserve(n, ctx.arena())) {
      const ssize_t got = pread(b.file->fd, to, n, b.file_pos);
      if (got > 0) body.keep(static_cast<std::size_t>(got));
    }
  }
  body.count(length);
}

void see_pieces(Context& ctx, ngx_chain_t* in, capture::BodyCapture& body) {
  for (ngx_chain_t* cl = in; cl != nullptr; cl = cl->next) {
    const ngx_buf_t& b = *cl->buf;
    if (ngx_buf_in_memory(&b)) {
      body.append({reinterpret_cast<char*>(b.pos), static_cast<std::size_t>(b.last - b.pos)}, ctx.arena());
    } else if (b.in_file) {
      capture_from_file(ctx, b, body);
    }
  }
}

ngx_int_t body_filter(ngx_http_request_t* r, ngx_chain_t* in) noexcept {
  if (in == nullptr || r != r->main) return next_body_filter(r, in);
  Context* ctx = Context::find(r);
  if (ctx == nullptr) return next_body_filter(r, in);
  see_pieces(*ctx, in, ctx->response_body);
  if (const auto items = ctx->chain().body_filter(); !items.empty()) {
    for (ngx_chain_t* cl = in; cl != nullptr; cl = cl->next) {
      const ngx_buf_t& b = *cl->buf;
      BodyChunk chunk;
      if (ngx_buf_in_memory(&b)) chunk.bytes = {reinterpret_cast<char*>(b.pos), static_cast<std::size_t>(b.last - b.pos)};
      chunk.last = b.last_buf;
      if (chunk.bytes.empty() && !chunk.last) continue;
      run_phase(*ctx, items, "body_filter",
                [&](const gateway::ChainItem& item) { item.plugin->body_filter(ctx->exchange, chunk, item.config); });
    }
  }
  return next_body_filter(r, in);
}

ngx_int_t request_body_filter(ngx_http_request_t* r, ngx_chain_t* in) noexcept {
  if (r == r->main && in != nullptr) {
    if (Context* ctx = Context::find(r)) {
      if (r->headers_in.content_length_n > 0) ctx->request_body.expect(static_cast<std::uint64_t>(r->headers_in.content_length_n));
      see_pieces(*ctx, in, ctx->request_body);
    }
  }
  return next_request_body_filter(r, in);
}

}  // namespace

void install_filters() {
  next_header_filter = ngx_http_top_header_filter;
  ngx_http_top_header_filter = header_filter;
  next_body_filter = ngx_http_top_body_filter;
  ngx_http_top_body_filter = body_filter;
  next_request_body_filter = ngx_http_top_request_body_filter;
  ngx_http_top_request_body_filter = request_body_filter;
}

}  // namespace gibbon::nginx
