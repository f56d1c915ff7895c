#include "gateway/nginx/kit/body.hpp"

#include <unistd.h>

#include <charconv>
#include <new>

#include "gateway/nginx/context.hpp"

namespace gibbon::nginx {
namespace {

void body_was_read(ngx_http_request_t* r) noexcept {
  if (Context* ctx = Context::find(r)) ctx->body_read = true;
  r->write_event_handler = ngx_http_core_run_phases;
  ngx_http_core_run_phases(r);
}

std::size_t size_of(const ngx_buf_t& b) {
  return static_cast<std::size_t>(ngx_buf_in_memory(&b) ? b.last - b.pos
                                  : b.in_file           ? b.file_last - b.file_pos
                                                        : 0);
}

std::uint64_t size_of(const ngx_chain_t* chain) {
  std::uint64_t size = 0;
  for (const ngx_chain_t* cl = chain; cl != nullptr; cl = cl->next) size += size_of(*cl->buf);
  return size;
}

/// Copies `n` bytes of a piece, from `start` on; false where they cannot be read.
bool copy_from(const ngx_buf_t& b, std::size_t start, std::size_t n, char* to) {
  if (!ngx_buf_in_memory(&b))
    return pread(b.file->fd, to, n, b.file_pos + static_cast<off_t>(start)) == static_cast<ssize_t>(n);
  std::memcpy(to, b.pos + start, n);
  return true;
}

/// All of it as one text in the pool; empty where a piece lies in a file.
std::string_view joined(ngx_pool_t* pool, const ngx_chain_t* chain) {
  for (const ngx_chain_t* cl = chain; cl != nullptr; cl = cl->next)
    if (!ngx_buf_in_memory(cl->buf) && cl->buf->in_file) return {};
  const std::uint64_t size = size_of(chain);
  if (size == 0) return {};
  auto* text = static_cast<u_char*>(ngx_pnalloc(pool, size));
  if (text == nullptr) return {};
  u_char* p = text;
  for (const ngx_chain_t* cl = chain; cl != nullptr; cl = cl->next)
    if (ngx_buf_in_memory(cl->buf)) p = ngx_cpymem(p, cl->buf->pos, size_of(*cl->buf));
  return {reinterpret_cast<const char*>(text), size};
}

const ngx_chain_t* body_of(const Context& ctx) {
  const bool there = (ctx.body_read || ctx.body_replaced) && ctx.r->request_body != nullptr;
  return there ? ctx.r->request_body->bufs : nullptr;
}

const ngx_chain_t* client_body_of(const Context& ctx) { return ctx.body_replaced ? ctx.client_body : body_of(ctx); }

/// gRPC sends the value of the header that nginx has found.
void tell_length(Context& ctx, std::size_t size) {
  ngx_http_request_t* r = ctx.r;
  ServiceRequestAdapter& upstream = ctx.exchange.service_request();
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, size);
  const std::string_view text(digits, static_cast<std::size_t>(end.ptr - digits));
  upstream.set_header("Content-Length", text);
  if (r->headers_in.chunked) upstream.clear_header("Transfer-Encoding");
  auto* told = static_cast<ngx_table_elt_t*>(ngx_pcalloc(r->pool, sizeof(ngx_table_elt_t)));
  const ngx_str_t value = copy_to_pool(r->pool, text);
  if (told == nullptr || value.data == nullptr) throw std::bad_alloc();
  told->key = str("Content-Length");
  told->value = value;
  r->headers_in.content_length = told;
}

void keep_client_body(Context& ctx) {
  if (ctx.body_replaced) return;
  ctx.client_body = ctx.r->request_body->bufs;
  ctx.client_body_text = ctx.body_text;
  ctx.client_content_length = ctx.r->headers_in.content_length;
  ctx.client_body_length = std::max<off_t>(0, ctx.r->headers_in.content_length_n);
  ctx.body_replaced = true;
}

}  // namespace

std::string_view request_body(Context& ctx) {
  if (ctx.body_text.empty()) ctx.body_text = joined(ctx.r->pool, body_of(ctx));
  return ctx.body_text;
}

std::string_view client_request_body(Context& ctx) {
  if (!ctx.body_replaced) return request_body(ctx);
  if (ctx.client_body_text.empty()) ctx.client_body_text = joined(ctx.r->pool, ctx.client_body);
  return ctx.client_body_text;
}

std::uint64_t request_body_size(const Context& ctx) { return size_of(body_of(ctx)); }
std::uint64_t client_request_body_size(const Context& ctx) { return size_of(client_body_of(ctx)); }

bool has_unread_body(const ngx_http_request_t* r) {
  return r->request_body == nullptr && (r->headers_in.content_length_n > 0 || r->headers_in.chunked);
}

void replace_request_body(Context& ctx, std::string_view bytes) {
  ngx_http_request_t* r = ctx.r;
  auto* buffer = ngx_create_temp_buf(r->pool, bytes.size() + 1);
  ngx_chain_t* link = ngx_alloc_chain_link(r->pool);
  if (r->request_body == nullptr)
    r->request_body = static_cast<ngx_http_request_body_t*>(ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t)));
  if (buffer == nullptr || link == nullptr || r->request_body == nullptr) throw std::bad_alloc();
  keep_client_body(ctx);
  buffer->last = ngx_cpymem(buffer->pos, bytes.data(), bytes.size());
  buffer->last_buf = 1;
  link->buf = buffer;
  link->next = nullptr;
  r->request_body->bufs = bytes.empty() ? nullptr : link;
  r->headers_in.content_length_n = static_cast<off_t>(bytes.size());
  ctx.body_text = {};
  tell_length(ctx, bytes.size());
}

void capture_read_body(Context& ctx) {
  capture::BodyCapture& body = ctx.request_body;
  std::size_t offset = 0;
  for (const ngx_chain_t* cl = client_body_of(ctx); cl != nullptr && body.room() > 0; cl = cl->next) {
    const std::size_t size = size_of(*cl->buf), kept = body.bytes().size();
    if (offset + size > kept) {
      const std::size_t start = kept - offset, n = std::min(size - start, body.room());
      char* to = body.reserve(n, ctx.arena());
      if (to == nullptr || !copy_from(*cl->buf, start, n, to)) return;
      body.keep(n);
    }
    offset += size;
  }
  for (const gateway::Piece& piece : ctx.hidden_pieces) body.overwrite(piece.begin, piece.end, '*');
}

ngx_int_t read_request_body(Context& ctx) {
  const ngx_int_t rc = ngx_http_read_client_request_body(ctx.r, body_was_read);
  if (rc >= NGX_HTTP_SPECIAL_RESPONSE) return rc;
  ngx_http_finalize_request(ctx.r, NGX_DONE);
  return NGX_DONE;
}

}  // namespace gibbon::nginx
