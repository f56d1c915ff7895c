#include "gateway/nginx/kit/response.hpp"

#include <charconv>
#include <new>
#include <stdexcept>

#include "gateway/nginx/answers.hpp"
#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/kit/header_text.hpp"

namespace gibbon::nginx {
namespace {

using HeadersOut = ngx_http_headers_out_t;

constexpr Phases kReading = {Phase::kResponse, Phase::kHeaderFilter, Phase::kBodyFilter, Phase::kLog};
constexpr Phases kChanging = {Phase::kRewrite, Phase::kAccess, Phase::kResponse, Phase::kHeaderFilter};

/// A header of which there is one at most, and which nginx finds by a pointer beside the list.
struct Known {
  std::string_view name;
  ngx_table_elt_t* HeadersOut::*slot;
  /// nginx adds one of its own where the pointer is null.
  bool implied = false;
};

// Not Location: nginx writes a relative one that it finds there anew, with the gateway's own name.
constexpr Known kKnown[] = {{"server", &HeadersOut::server, true},
                            {"date", &HeadersOut::date, true},
                            {"content-encoding", &HeadersOut::content_encoding},
                            {"last-modified", &HeadersOut::last_modified},
                            {"content-range", &HeadersOut::content_range},
                            {"accept-ranges", &HeadersOut::accept_ranges},
                            {"expires", &HeadersOut::expires},
                            {"etag", &HeadersOut::etag}};

const Known* known(std::string_view name) {
  for (const Known& one : kKnown)
    if (equals_ignoring_case(name, one.name)) return &one;
  return nullptr;
}

bool is(std::string_view name, std::string_view other) { return equals_ignoring_case(name, other); }

void remove_from_list(ngx_http_request_t* r, std::string_view name) {
  each_header(r->headers_out.headers, [&](ngx_table_elt_t& h) {
    if (h.hash != 0 && is(view(h.key), name)) h.hash = 0;
  });
}

void clear_content_type(HeadersOut& out) {
  out.content_type = {0, nullptr};
  out.content_type_len = 0;
  out.content_type_lowcase = nullptr;
  out.charset = {0, nullptr};
}

/// Takes every header of that name out, wherever nginx keeps it.
void remove(ngx_http_request_t* r, std::string_view name) {
  HeadersOut& out = r->headers_out;
  remove_from_list(r, name);
  if (is(name, "content-type")) return clear_content_type(out);
  if (is(name, "content-length")) {
    ngx_http_clear_content_length(r);
    return;
  }
  if (is(name, "location")) out.location = nullptr;
  if (is(name, "refresh")) out.refresh = nullptr;
  if (is(name, "www-authenticate")) out.www_authenticate = nullptr;
  if (is(name, "last-modified")) out.last_modified_time = -1;
  const Known* one = known(name);
  if (one == nullptr) return;
  out.*one->slot = nullptr;
  // An entry that is not sent keeps nginx from adding its own.
  if (one->implied) out.*one->slot = static_cast<ngx_table_elt_t*>(ngx_pcalloc(r->pool, sizeof(ngx_table_elt_t)));
}

void set_content_type(ngx_http_request_t* r, std::string_view value) {
  HeadersOut& out = r->headers_out;
  const ngx_str_t kept = copy_header_value(r->pool, value);
  clear_content_type(out);
  out.content_type = kept;
  out.content_type_len = std::min(value.find(';'), kept.len);
}

void set_content_length(ngx_http_request_t* r, std::string_view value) {
  std::int64_t length = -1;
  const auto end = std::from_chars(value.data(), value.data() + value.size(), length);
  if (end.ec != std::errc() || end.ptr != value.data() + value.size() || length < 0)
    throw std::invalid_argument("'" + std::string(value) + "' is no Content-Length");
  remove(r, "content-length");
  r->headers_out.content_length_n = static_cast<off_t>(length);
}

/// Headers that are nginx's to write. False: it is none of them.
bool set_own(Context& ctx, std::string_view name, std::string_view value) {
  ngx_http_request_t* r = ctx.r;
  if (is(name, "content-type")) return set_content_type(r, value), true;
  if (is(name, "content-length")) {
    // Whoever answers knows how long the answer is; so far nobody has.
    if (ctx.phase() == Phase::kResponse || ctx.phase() == Phase::kHeaderFilter) set_content_length(r, value);
    return true;
  }
  if (is(name, "connection")) {
    if (is(value, "close")) r->keepalive = 0;
    return true;
  }
  return is(name, "transfer-encoding");
}

}  // namespace

Response::Source ResponseAdapter::source() const {
  ctx_.require("source", kReading);
  if (ctx_.answer.status != 0) return ctx_.answer.by_exit ? Source::kExit : Source::kError;
  return ctx_.proxied ? Source::kService : Source::kError;
}

int ResponseAdapter::status() const {
  ctx_.require("status", kReading);
  return answered_status(ctx_.r);
}

std::string_view ResponseAdapter::header(std::string_view name) const {
  ctx_.require("header", kReading);
  const ImplicitHeaders implicit(ctx_);
  for (std::size_t i = 0; i < implicit.count; ++i)
    if (is(implicit.lines[i].name, name)) return view(copy_to_pool(ctx_.r->pool, implicit.lines[i].value));
  std::string_view found;
  bool seen = false;
  nginx::each_header(ctx_.r->headers_out.headers, [&](const ngx_table_elt_t& h) {
    if (!seen && h.hash != 0 && is(view(h.key), name)) found = view(h.value), seen = true;
  });
  return found;
}

void ResponseAdapter::each_header(HeaderVisitor visit) const {
  ctx_.require("each_header", kReading);
  each_answer_header(ctx_, visit);
}

void ResponseAdapter::set_status(int status) {
  ctx_.require("set_status", {Phase::kResponse, Phase::kHeaderFilter});
  if (status < 100 || status > 599) throw std::invalid_argument("no status: " + std::to_string(status));
  ngx_http_request_t* r = ctx_.r;
  r->headers_out.status = static_cast<ngx_uint_t>(status);
  r->headers_out.status_line = {0, nullptr};
  if (r->err_status != 0) r->err_status = r->headers_out.status;
}

void ResponseAdapter::set_header(std::string_view name, std::string_view value) {
  ctx_.require("set_header", kChanging);
  const ngx_str_t key = copy_header_name(ctx_.r->pool, name);
  if (set_own(ctx_, name, value)) return;
  remove(ctx_.r, name);
  append(key, value);
}

void ResponseAdapter::add_header(std::string_view name, std::string_view value) {
  ctx_.require("add_header", kChanging);
  const ngx_str_t key = copy_header_name(ctx_.r->pool, name);
  if (set_own(ctx_, name, value)) return;
  if (known(name) != nullptr || is(name, "location")) remove(ctx_.r, name);  // There is one at most.
  append(key, value);
}

void ResponseAdapter::append(ngx_str_t name, std::string_view value) {
  ngx_table_elt_t* made = add_answer_header(ctx_.r, name, copy_header_value(ctx_.r->pool, value));
  if (made == nullptr) throw std::bad_alloc();
  const Known* one = known(view(name));
  if (one == nullptr) return;
  HeadersOut& out = ctx_.r->headers_out;
  out.*one->slot = made;
  if (made == out.last_modified) out.last_modified_time = ngx_parse_http_time(made->value.data, made->value.len);
}

void ResponseAdapter::clear_header(std::string_view name) {
  ctx_.require("clear_header", kChanging);
  remove(ctx_.r, name);
}

void ResponseAdapter::capture_body(std::size_t limit_bytes) {
  ctx_.require("capture_body", kChanging);
  ctx_.response_body.want(limit_bytes);
}

void ResponseAdapter::hold_body() {
  ctx_.require("hold_body", {Phase::kHeaderFilter});
  if (ctx_.held.why == HeldResponse::Why::kNot) ctx_.held.why = HeldResponse::Why::kOnePiece;
  ngx_http_clear_content_length(ctx_.r);
}

std::string_view ResponseAdapter::body() const {
  ctx_.require("body", {Phase::kResponse});
  return ctx_.held.bytes;
}

void ResponseAdapter::set_body(std::string_view bytes) {
  ctx_.require("set_body", {Phase::kResponse});
  if (ctx_.held.set_by == ctx_.current) throw std::logic_error("set_body() was called before in this phase");
  ctx_.held.set_by = ctx_.current;
  ctx_.held.bytes = bytes;
}

}  // namespace gibbon::nginx
