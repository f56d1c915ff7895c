#include "gateway/nginx/kit/service_request.hpp"

#include <new>
#include <stdexcept>

#include "base/ascii.hpp"
#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/kit/body.hpp"
#include "gateway/nginx/kit/header_text.hpp"
#include "gateway/request/arguments.hpp"

namespace gibbon::nginx {
namespace {

constexpr Phases kChanging = {Phase::kRewrite, Phase::kAccess};
constexpr Phases kBodyPhases = {Phase::kAccess, Phase::kResponse, Phase::kHeaderFilter, Phase::kBodyFilter, Phase::kLog};

struct Method {
  std::string_view name;
  ngx_uint_t number;
};

constexpr Method kMethods[] = {
    {"GET", NGX_HTTP_GET},         {"HEAD", NGX_HTTP_HEAD},           {"POST", NGX_HTTP_POST},
    {"PUT", NGX_HTTP_PUT},         {"DELETE", NGX_HTTP_DELETE},       {"PATCH", NGX_HTTP_PATCH},
    {"OPTIONS", NGX_HTTP_OPTIONS}, {"TRACE", NGX_HTTP_TRACE},         {"MKCOL", NGX_HTTP_MKCOL},
    {"COPY", NGX_HTTP_COPY},       {"MOVE", NGX_HTTP_MOVE},           {"PROPFIND", NGX_HTTP_PROPFIND},
    {"LOCK", NGX_HTTP_LOCK},       {"PROPPATCH", NGX_HTTP_PROPPATCH}, {"UNLOCK", NGX_HTTP_UNLOCK},
};

bool is_hex(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

/// `text` with all that is none of the bytes that `plain` lets stand percent-encoded.
template <typename Plain>
std::string encoded(std::string_view text, Plain plain) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (plain(i)) {
      out += text[i];
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    out += '%';
    out += "0123456789ABCDEF"[byte >> 4];
    out += "0123456789ABCDEF"[byte & 15];
  }
  return out;
}

/// RFC 3986's characters of a path, and the brackets, which Kong sends as they are.
std::string encoded_path(std::string_view path) {
  static constexpr std::string_view kMarks = "/-._~!$&'()*+,;=:@[]";
  return encoded(path, [path](std::size_t i) {
    const char c = path[i];
    if (c == '%') return i + 2 < path.size() && is_hex(path[i + 1]) && is_hex(path[i + 2]);
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kMarks.find(c) != std::string_view::npos;
  });
}

/// What would end the request line, or the query, must not stand in it.
std::string encoded_query(std::string_view query) {
  return encoded(query, [query](std::size_t i) {
    const auto byte = static_cast<unsigned char>(query[i]);
    return byte > 0x20 && byte != 0x7f && byte != '#';
  });
}

bool push_copy(ngx_list_t& list, const ngx_table_elt_t& header) {
  auto* copy = static_cast<ngx_table_elt_t*>(ngx_list_push(&list));
  if (copy != nullptr) *copy = header;
  return copy != nullptr;
}

/// A header as nginx's modules can send it on.
ngx_table_elt_t element(const HeaderChange& change) {
  ngx_table_elt_t h{};
  h.key = str(change.name);
  h.value = str(change.value);
  h.lowcase_key = str(change.lower_name).data;
  h.hash = ngx_hash_key(h.lowcase_key, h.key.len);
  return h;
}

}  // namespace

std::string_view ServiceRequestAdapter::method() const {
  return view(ctx_.upstream_method != 0 ? ctx_.upstream_method_name : ctx_.method);
}

std::string_view ServiceRequestAdapter::path() const {
  const std::string_view uri = view(ctx_.upstream_uri);
  return uri.substr(0, uri.find('?'));
}

std::string_view ServiceRequestAdapter::query() const {
  const std::string_view uri = view(ctx_.upstream_uri);
  if (uri.empty()) return ctx_.exchange.request().query();
  const std::size_t mark = uri.find('?');
  return mark == std::string_view::npos ? std::string_view() : uri.substr(mark + 1);
}

template <typename Client, typename Own>
void ServiceRequestAdapter::go_through(ngx_list_t& list, Client client, Own own) const {
  for (HeaderChange* c = first_; c != nullptr; c = c->next) c->placed = false;
  nginx::each_header(list, [&](ngx_table_elt_t& h) {
    HeaderChange* c = first_;
    while (c != nullptr && (c->kind == HeaderChange::Kind::kAdd || !same_header(c->name, view(h.key)))) c = c->next;
    if (c == nullptr) return client(h);
    if (c->kind == HeaderChange::Kind::kSet && !c->placed) {
      c->placed = true;
      own(*c);
    }
  });
  for (const HeaderChange* c = first_; c != nullptr; c = c->next)
    if (c->kind != HeaderChange::Kind::kClear && !c->placed) own(*c);
}

void ServiceRequestAdapter::each_header(HeaderVisitor visit) const {
  ngx_http_request_t* r = ctx_.r;
  go_through(
      ctx_.headers_replaced ? ctx_.client_headers : r->headers_in.headers,
      [&](const ngx_table_elt_t& h) {
        const u_char* name = h.lowcase_key != nullptr ? h.lowcase_key : h.key.data;
        visit(std::string_view(reinterpret_cast<const char*>(name), h.key.len), view(h.value));
      },
      [&](const HeaderChange& change) { visit(change.lower_name, change.value); });
}

std::string_view ServiceRequestAdapter::header(std::string_view name) const {
  std::string_view found;
  bool seen = false;
  const auto look = [&](std::string_view n, std::string_view value) {
    if (!seen && same_header(n, name)) found = value, seen = true;
  };
  each_header(look);
  return found;
}

Body ServiceRequestAdapter::body() const {
  ctx_.require("body", kBodyPhases);
  const std::string_view bytes = request_body(ctx_);
  const std::uint64_t size = request_body_size(ctx_);
  return {bytes, size, bytes.size() != size};
}

void ServiceRequestAdapter::set_method(std::string_view method) {
  ctx_.require("set_method", kChanging);
  for (const Method& known : kMethods) {
    if (known.name != method) continue;
    ctx_.upstream_method = known.number;
    ctx_.upstream_method_name = str(known.name);
    return;
  }
  throw std::invalid_argument("'" + std::string(method) + "' is no method of HTTP");
}

void ServiceRequestAdapter::set_target(std::string_view path, std::string_view query) {
  std::string target(path);
  if (!query.empty()) target.append("?").append(query);
  const ngx_str_t copy = copy_to_pool(ctx_.r->pool, target);
  if (copy.data == nullptr) throw std::bad_alloc();
  ctx_.upstream_uri = copy;
}

void ServiceRequestAdapter::set_path(std::string_view path) {
  ctx_.require("set_path", {Phase::kAccess});
  if (!path.starts_with('/')) throw std::invalid_argument("a path begins with '/', not '" + std::string(path) + "'");
  set_target(encoded_path(path), query());
}

void ServiceRequestAdapter::set_query(std::string_view query) {
  ctx_.require("set_query", {Phase::kAccess});
  set_target(path(), encoded_query(query));
}

void ServiceRequestAdapter::clear_query_argument(std::string_view name) {
  ctx_.require("clear_query_argument", {Phase::kAccess});
  const std::string_view before = query();
  const gateway::Found found = gateway::find_argument(before, name);
  if (!found.members.empty()) set_target(path(), gateway::without(before, found.members));
}

void ServiceRequestAdapter::note(HeaderChange::Kind kind, std::string_view name, std::string_view value) {
  ngx_pool_t* pool = ctx_.r->pool;
  auto* made = static_cast<HeaderChange*>(ngx_palloc(pool, sizeof(HeaderChange)));
  const ngx_str_t kept = copy_header_name(pool, name), lower = copy_header_name(pool, name);
  if (made == nullptr) throw std::bad_alloc();
  ngx_strlow(lower.data, lower.data, lower.len);
  new (made) HeaderChange{kind, false, view(kept), view(lower), view(copy_header_value(pool, value)), nullptr};
  if (kind != HeaderChange::Kind::kAdd) {
    // What was said of the name before counts no more.
    last_ = nullptr;
    for (HeaderChange** at = &first_; *at != nullptr;) {
      if (same_header((*at)->name, name)) {
        *at = (*at)->next;
      } else {
        last_ = *at;
        at = &(*at)->next;
      }
    }
  }
  (last_ != nullptr ? last_->next : first_) = made;
  last_ = made;
  if (same_header(name, "host")) host_ = kind == HeaderChange::Kind::kClear ? std::string_view() : made->value;
}

void ServiceRequestAdapter::set_header(std::string_view name, std::string_view value) {
  ctx_.require("set_header", kChanging);
  note(HeaderChange::Kind::kSet, name, value);
}

void ServiceRequestAdapter::add_header(std::string_view name, std::string_view value) {
  ctx_.require("add_header", kChanging);
  // There is one Host.
  note(same_header(name, "host") ? HeaderChange::Kind::kSet : HeaderChange::Kind::kAdd, name, value);
}

void ServiceRequestAdapter::clear_header(std::string_view name) {
  ctx_.require("clear_header", kChanging);
  note(HeaderChange::Kind::kClear, name, {});
}

void ServiceRequestAdapter::tell_host(std::string_view host) { host_ = view(copy_header_value(ctx_.r->pool, host)); }

bool ServiceRequestAdapter::apply_headers() {
  if (first_ == nullptr || applied_) return true;
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
  go_through(
      before, [&](const ngx_table_elt_t& h) { ok = push_copy(list, h) && ok; },
      [&](const HeaderChange& change) { ok = push_copy(list, element(change)) && ok; });
  applied_ = ok;
  return ok;
}

void ServiceRequestAdapter::clear_body_field(std::string_view name) {
  ctx_.require("clear_body_field", {Phase::kAccess});
  const std::string_view body = request_body(ctx_);
  const gateway::Found found = gateway::find_body_field(header("content-type"), body, name);
  if (!found.members.empty()) replace_request_body(ctx_, gateway::without(body, found.members));
}

void ServiceRequestAdapter::set_body(std::string_view bytes) {
  ctx_.require("set_body", {Phase::kAccess});
  if (has_unread_body(ctx_.r))
    throw std::logic_error("set_body() needs a handler whose reads_body() asked for the client's body");
  replace_request_body(ctx_, bytes);
}

}  // namespace gibbon::nginx
