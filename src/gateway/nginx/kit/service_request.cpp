#include "gateway/nginx/kit/service_request.hpp"

#include <unistd.h>

#include <charconv>
#include <new>

#include "base/ascii.hpp"
#include "gateway/nginx/context.hpp"
#include "gateway/request/arguments.hpp"

namespace gibbon::nginx {
namespace {

void body_was_read(ngx_http_request_t* r) noexcept {
  r->write_event_handler = ngx_http_core_run_phases;
  ngx_http_core_run_phases(r);
}

/// Appends a header that nginx's modules can send on.
bool push_header(ngx_http_request_t* r, std::string_view name, std::string_view value) {
  auto* h = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_in.headers));
  if (h == nullptr) return false;
  h->key = str(name);
  h->value = str(value);
  h->lowcase_key = static_cast<u_char*>(ngx_pnalloc(r->pool, name.size()));
  if (h->lowcase_key == nullptr) return false;
  h->hash = ngx_hash_strlow(h->lowcase_key, h->key.data, h->key.len);
  return true;
}

std::size_t size_of(const ngx_buf_t& b) {
  return static_cast<std::size_t>(ngx_buf_in_memory(&b) ? b.last - b.pos
                                  : b.in_file           ? b.file_last - b.file_pos
                                                        : 0);
}

/// Copies `n` bytes of a piece, from `start` on; false where they cannot be read.
bool copy_from(const ngx_buf_t& b, std::size_t start, std::size_t n, char* to) {
  if (!ngx_buf_in_memory(&b))
    return pread(b.file->fd, to, n, b.file_pos + static_cast<off_t>(start)) == static_cast<ssize_t>(n);
  std::memcpy(to, b.pos + start, n);
  return true;
}

/// Gives the body one buffer.
bool replace_body(ngx_http_request_t* r, std::string_view body) {
  auto* buffer = ngx_create_temp_buf(r->pool, body.size() + 1);
  ngx_chain_t* link = ngx_alloc_chain_link(r->pool);
  if (buffer == nullptr || link == nullptr) return false;
  buffer->last = ngx_cpymem(buffer->pos, body.data(), body.size());
  buffer->last_buf = 1;
  link->buf = buffer;
  link->next = nullptr;
  r->request_body->bufs = body.empty() ? nullptr : link;
  r->headers_in.content_length_n = static_cast<off_t>(body.size());
  return true;
}

}  // namespace

bool same_header(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char x = a[i] == '_' ? '-' : ascii_lower(a[i]), y = b[i] == '_' ? '-' : ascii_lower(b[i]);
    if (x != y) return false;
  }
  return true;
}

void ServiceRequestAdapter::change(const HeaderChange& wanted) {
  HeaderChange* found = changes_;
  while (found != nullptr && !same_header(found->name, wanted.name)) found = found->next;
  if (found == nullptr) {
    found = static_cast<HeaderChange*>(ngx_palloc(ctx_.r->pool, sizeof(HeaderChange)));
    if (found == nullptr) return;
    new (found) HeaderChange{view(copy_to_pool(ctx_.r->pool, wanted.name)), {}, true, changes_};
    changes_ = found;
  }
  found->clears = wanted.clears;
  found->value = wanted.clears ? std::string_view() : view(copy_to_pool(ctx_.r->pool, wanted.value));
}

bool ServiceRequestAdapter::apply_headers() {
  if (changes_ == nullptr) return true;
  ngx_http_request_t* r = ctx_.r;
  ngx_list_t& list = r->headers_in.headers;
  ngx_list_t before = list;
  if (before.last == &list.part) before.last = &before.part;
  if (!ctx_.headers_replaced) {
    ctx_.client_headers = before;
    if (before.last == &before.part) ctx_.client_headers.last = &ctx_.client_headers.part;
    ctx_.headers_replaced = true;
  }
  if (ngx_list_init(&list, r->pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK) return false;
  bool ok = true;
  nginx::each_header(before, [&](ngx_table_elt_t& h) {
    for (const HeaderChange* c = changes_; c != nullptr; c = c->next)
      if (same_header(c->name, view(h.key))) return;
    auto* copy = static_cast<ngx_table_elt_t*>(ngx_list_push(&list));
    if (copy != nullptr) *copy = h;
    ok = ok && copy != nullptr;
  });
  for (const HeaderChange* c = changes_; c != nullptr; c = c->next)
    if (!c->clears) ok = ok && push_header(r, c->name, c->value);
  return ok;
}

std::string_view ServiceRequestAdapter::method() const { return {}; }
std::string_view ServiceRequestAdapter::path() const { return {}; }
std::string_view ServiceRequestAdapter::query() const { return {}; }
std::string_view ServiceRequestAdapter::header(std::string_view) const { return {}; }
void ServiceRequestAdapter::each_header(HeaderVisitor) const {}
Body ServiceRequestAdapter::body() const { return {}; }
void ServiceRequestAdapter::set_method(std::string_view) { throw std::logic_error("set_method() is not there yet"); }
void ServiceRequestAdapter::set_path(std::string_view) { throw std::logic_error("set_path() is not there yet"); }
void ServiceRequestAdapter::set_query(std::string_view) { throw std::logic_error("set_query() is not there yet"); }
void ServiceRequestAdapter::add_header(std::string_view, std::string_view) { throw std::logic_error("add_header() is not there yet"); }
void ServiceRequestAdapter::set_body(std::string_view) { throw std::logic_error("set_body() is not there yet"); }

void ServiceRequestAdapter::clear_query_argument(std::string_view name) {
  const std::string_view uri = view(ctx_.upstream_uri);
  const std::size_t mark = uri.find('?');
  if (mark == std::string_view::npos) return;
  const std::string_view query = uri.substr(mark + 1);
  const gateway::Found found = gateway::find_argument(query, name);
  if (found.members.empty()) return;
  std::string rest(uri.substr(0, mark));
  if (const std::string kept = gateway::without(query, found.members); !kept.empty())
    rest.append("?").append(kept);
  if (const ngx_str_t copy = copy_to_pool(ctx_.r->pool, rest); copy.data != nullptr) ctx_.upstream_uri = copy;
}

void ServiceRequestAdapter::clear_body_field(std::string_view name) {
  const std::string_view body = request_body(ctx_);
  const gateway::Found found =
      gateway::find_body_field(ctx_.exchange.request().header("content-type"), body, name);
  if (found.members.empty()) return;
  const off_t declared = ctx_.r->headers_in.content_length_n;
  ngx_chain_t* before = ctx_.r->request_body->bufs;
  if (!replace_body(ctx_.r, gateway::without(body, found.members))) return;
  if (ctx_.client_body_length < 0) {
    ctx_.client_body_length = declared;
    ctx_.client_body = before;
  }
  ctx_.body_text = {};
  // nginx writes the length itself; what the client sent must not stand beside it.
  if (ctx_.r->headers_in.content_length != nullptr) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, ctx_.r->headers_in.content_length_n);
    set_header("Content-Length", {digits, static_cast<std::size_t>(end.ptr - digits)});
  }
}

std::string_view request_body(Context& ctx) {
  if (!ctx.body_text.empty()) return ctx.body_text;
  const ngx_http_request_body_t* body = ctx.r->request_body;
  if (body == nullptr || body->bufs == nullptr || body->temp_file != nullptr) return {};
  std::size_t size = 0;
  for (const ngx_chain_t* cl = body->bufs; cl != nullptr; cl = cl->next) {
    if (!ngx_buf_in_memory(cl->buf)) {
      if (cl->buf->in_file) return {};
      continue;
    }
    size += size_of(*cl->buf);
  }
  auto* text = static_cast<u_char*>(ngx_pnalloc(ctx.r->pool, size));
  if (text == nullptr) return {};
  u_char* p = text;
  for (const ngx_chain_t* cl = body->bufs; cl != nullptr; cl = cl->next)
    if (ngx_buf_in_memory(cl->buf)) p = ngx_cpymem(p, cl->buf->pos, size_of(*cl->buf));
  ctx.body_text = {reinterpret_cast<const char*>(text), size};
  return ctx.body_text;
}

void capture_read_body(Context& ctx) {
  const ngx_chain_t* cl = ctx.client_body;
  if (cl == nullptr && ctx.r->request_body != nullptr) cl = ctx.r->request_body->bufs;
  capture::BodyCapture& body = ctx.request_body;
  std::size_t offset = 0;
  for (; cl != nullptr && body.room() > 0; cl = cl->next) {
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
