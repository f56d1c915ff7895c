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
#include "gateway/nginx/run_phase.hpp"

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
  if (has_one && !ctx.proxied) r->headers_out.server->hash = 0;  // As in Kong: our own answers bear our name, or none.
  if ((has_one || !on.server) && ctx.proxied) return;
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

/// What of the upstream's head no client is to see is taken out, before any plugin looks at it.
void begin_head(Context& ctx) {
  if (!ctx.proxied) return;
  if (ctx.upstream_method == NGX_HTTP_HEAD && ctx.r->method != NGX_HTTP_HEAD && ctx.answer.status == 0) {
    // A plugin has asked for a head alone: the length is that of a body which does not come.
    ngx_http_clear_content_length(ctx.r);
    ctx.r->headers_out.content_length_n = 0;
  }
  drop_hop_by_hop_answer(ctx);
  if (ctx.hash_cookie.data != nullptr) set_hash_cookie(ctx);
}

/// The plugins' turn, the gateway's own headers, and off it goes.
ngx_int_t send_head(Context& ctx) {
  ngx_http_request_t* r = ctx.r;
  ctx.headers_filtered = true;
  run_phase(ctx, Phase::kHeaderFilter, ctx.chain().header_filter(),
            [&](const gateway::ChainItem& item) { item.plugin->header_filter(ctx.exchange, item.config); });
  add_kong_headers(ctx);
  if (r->headers_out.content_length_n > 0) ctx.response_body.expect(static_cast<std::uint64_t>(r->headers_out.content_length_n));
  if (ctx.held.why != HeldResponse::Why::kNot || !ctx.chain().body_filter().empty()) r->filter_need_in_memory = 1;
  const ngx_int_t rc = next_header_filter(r);
  ctx.kept_alive = r->keepalive;
  return rc;
}

/// Whether the answer must be there as a whole before its head is sent.
bool has_response_phase(const Context& ctx) {
  return ctx.proxied && !ctx.grpc && !ctx.chain().response().empty() &&
         ctx.r->headers_out.status != NGX_HTTP_SWITCHING_PROTOCOLS;
}

ngx_int_t header_filter(ngx_http_request_t* r) noexcept {
  if (r != r->main || r->header_sent) return next_header_filter(r);
  Context* ctx = Context::of(r);
  if (ctx == nullptr || ctx->headers_filtered) return next_header_filter(r);
  take_back_request_line(*ctx);
  if (ctx->held.why == HeldResponse::Why::kResponsePhase) return NGX_OK;
  begin_head(*ctx);
  if (has_response_phase(*ctx)) {
    ctx->held.why = HeldResponse::Why::kResponsePhase;
    r->filter_need_in_memory = 1;
    return NGX_OK;
  }
  if (ctx->proxied && r->upstream != nullptr && r->upstream->headers_in.content_length_n == -1) {
    // The length is unknown: a stream. nginx would wait for a full buffer; each piece goes on as it comes instead.
    r->upstream->buffering = 0;
  }
  return send_head(*ctx);
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

/// One piece on its way, as the plugins see it.
class Piece final : public BodyChunk {
 public:
  Piece(Context& ctx, ngx_buf_t& buffer) : ctx_(ctx) {
    if (ngx_buf_in_memory(&buffer)) bytes = {reinterpret_cast<char*>(buffer.pos), static_cast<std::size_t>(buffer.last - buffer.pos)};
    last = buffer.last_buf;
  }
  void replace(std::string_view with) override {
    if (replaced_by_ == ctx_.current) throw std::logic_error("replace() was called before for this piece");
    const ngx_str_t copy = copy_to_pool(ctx_.r->pool, with);
    if (copy.data == nullptr) throw std::bad_alloc();
    replaced_by_ = ctx_.current;
    bytes = view(copy);
  }
  [[nodiscard]] bool replaced() const { return replaced_by_ != nullptr; }

 private:
  Context& ctx_;
  const gateway::ChainItem* replaced_by_ = nullptr;
};

void consume(ngx_buf_t& b) {
  b.pos = b.last;
  b.file_pos = b.file_last;
}

/// A buffer of these bytes in the place of `original`, which counts as sent.
ngx_buf_t* replacement(ngx_http_request_t* r, ngx_buf_t& original, std::string_view bytes) {
  auto* b = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  if (b == nullptr) return nullptr;
  const ngx_str_t data = str(bytes);
  b->pos = b->start = data.data;
  b->last = b->end = data.data + data.len;
  b->memory = data.len > 0;
  b->last_buf = original.last_buf;
  b->last_in_chain = original.last_in_chain;
  b->flush = original.flush;
  b->sync = data.len == 0 && !original.last_buf;
  consume(original);
  return b;
}

/// A chain of the same buffers, up to `end`, with links of our own. `last` becomes where the next one goes. False without
/// memory.
bool copy_links(ngx_pool_t* pool, ngx_chain_t* from, const ngx_chain_t* end, ngx_chain_t**& last) {
  for (; from != end; from = from->next) {
    ngx_chain_t* link = ngx_alloc_chain_link(pool);
    if (link == nullptr) return false;
    link->buf = from->buf;
    link->next = nullptr;
    *last = link;
    last = &link->next;
  }
  return true;
}

/// Shows each piece to the plugins: what comes out is `in` itself where they replaced nothing. Null without memory.
ngx_chain_t* filter_pieces(Context& ctx, ngx_chain_t* in) {
  const auto items = ctx.chain().body_filter();
  if (items.empty()) return in;
  ngx_pool_t* pool = ctx.r->pool;
  ngx_chain_t* out = nullptr;
  ngx_chain_t** last = &out;
  ngx_chain_t* uncopied = in;
  for (ngx_chain_t* cl = in; cl != nullptr; cl = cl->next) {
    Piece piece(ctx, *cl->buf);
    if (piece.bytes.empty() && !piece.last) continue;
    run_phase(ctx, Phase::kBodyFilter, items,
              [&](const gateway::ChainItem& item) { item.plugin->body_filter(ctx.exchange, piece, item.config); });
    if (!piece.replaced()) continue;
    if (!copy_links(pool, uncopied, cl, last)) return nullptr;
    ngx_chain_t with{replacement(ctx.r, *cl->buf, piece.bytes), nullptr};
    if (with.buf == nullptr || !copy_links(pool, &with, nullptr, last)) return nullptr;
    uncopied = cl->next;
  }
  if (out == nullptr) return in;
  return copy_links(pool, uncopied, nullptr, last) ? out : nullptr;
}

ngx_int_t send_pieces(Context& ctx, ngx_chain_t* in) {
  ngx_chain_t* out = filter_pieces(ctx, in);
  if (out == nullptr) return NGX_ERROR;
  see_pieces(ctx, out, ctx.response_body);
  return next_body_filter(ctx.r, out);
}

/// Takes the pieces out of nginx's hands. True once the last one is there.
bool hold(Context& ctx, ngx_chain_t* in) {
  for (ngx_chain_t* cl = in; cl != nullptr; cl = cl->next) {
    ngx_buf_t& b = *cl->buf;
    if (ngx_buf_in_memory(&b) && ctx.held.why != HeldResponse::Why::kDropped)
      ctx.held.bytes.append(reinterpret_cast<char*>(b.pos), static_cast<std::size_t>(b.last - b.pos));
    consume(b);
    if (b.last_buf) ctx.held.complete = true;
  }
  return ctx.held.complete;
}

ngx_int_t send_held(Context& ctx) {
  ngx_buf_t last{};
  last.last_buf = last.last_in_chain = 1;
  ngx_buf_t* b = replacement(ctx.r, last, ctx.held.bytes);
  if (b == nullptr) return NGX_ERROR;
  ngx_chain_t out{b, nullptr};
  ctx.held.why = HeldResponse::Why::kNot;
  return send_pieces(ctx, &out);
}

/// One of the bits of r->buffered that nginx keeps for its image filter, which no server of ours has.
constexpr unsigned kHeldBuffered = 0x08;

ngx_int_t run_response_phase(Context& ctx) {
  ngx_http_request_t* r = ctx.r;
  if (run_waiting_phase(ctx, Phase::kResponse) == NGX_AGAIN) {
    r->buffered |= kHeldBuffered;  // nginx calls again when the connection's write event is posted.
    return NGX_AGAIN;
  }
  r->buffered &= ~kHeldBuffered;
  if (ctx.answer.status != 0) {
    r->headers_out.status = static_cast<ngx_uint_t>(ctx.answer.status);
    r->headers_out.status_line = {0, nullptr};
    if (ctx.answer.content_type.len > 0) {
      r->headers_out.content_type = ctx.answer.content_type;
      r->headers_out.content_type_len = ctx.answer.content_type.len;
      r->headers_out.charset.len = 0;
    }
    ctx.held.bytes = view(ctx.answer.body);
  }
  if (r->method != NGX_HTTP_HEAD || ctx.answer.status != 0 || ctx.held.set_by != nullptr) {
    ngx_http_clear_content_length(r);
    r->headers_out.content_length_n = static_cast<off_t>(ctx.held.bytes.size());
  }
  const ngx_int_t rc = send_head(ctx);
  if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) return rc;
  return ctx.held.why == HeldResponse::Why::kDropped ? NGX_OK : send_held(ctx);
}

ngx_int_t filter_body(Context& ctx, ngx_chain_t* in) {
  using Why = HeldResponse::Why;
  switch (ctx.held.why) {
    case Why::kResponsePhase:
      return hold(ctx, in) ? run_response_phase(ctx) : NGX_OK;
    case Why::kOnePiece:
    case Why::kDropped:
      return hold(ctx, in) ? send_held(ctx) : next_body_filter(ctx.r, nullptr);
    case Why::kNot:
      break;
  }
  return in == nullptr ? next_body_filter(ctx.r, in) : send_pieces(ctx, in);
}

ngx_int_t body_filter(ngx_http_request_t* r, ngx_chain_t* in) noexcept {
  if (r != r->main) return next_body_filter(r, in);
  Context* ctx = Context::find(r);
  if (ctx == nullptr) return next_body_filter(r, in);
  try {
    return filter_body(*ctx, in);
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "gibbon: body filter: %s", e.what());
    return NGX_ERROR;
  }
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
