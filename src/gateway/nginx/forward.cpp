#include "gateway/nginx/forward.hpp"

#include <array>
#include <optional>
#include <string>

#include "base/version.hpp"
#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/conf.hpp"
#include "gateway/router/path.hpp"

namespace gibbon::nginx {
namespace {

/// A header that nginx found while it parsed.
std::string_view parsed(const ngx_table_elt_t* header) { return header != nullptr ? view(header->value) : std::string_view{}; }

}  // namespace

std::string_view connection_address(ngx_http_request_t* r) {
  static ngx_str_t name = ngx_string("realip_remote_addr");
  static const ngx_uint_t key = ngx_hash_key(name.data, name.len);
  if (!main_conf(r)->trusted.empty()) {
    const ngx_http_variable_value_t* v = ngx_http_get_variable(r, &name, key);
    if (v != nullptr && v->valid && !v->not_found) return {reinterpret_cast<char*>(v->data), v->len};
  }
  return view(r->connection->addr_text);
}

namespace {

ViaVersion client_version(const ngx_http_request_t* r) {
  switch (r->http_version) {
    case NGX_HTTP_VERSION_9: return ViaVersion::kHttp09;
    case NGX_HTTP_VERSION_10: return ViaVersion::kHttp10;
    case NGX_HTTP_VERSION_20: return ViaVersion::kHttp2;
    default: return ViaVersion::kHttp11;
  }
}

}  // namespace

bool list_has(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view entry = list.substr(0, comma);
    while (!entry.empty() && entry.front() == ' ') entry.remove_prefix(1);
    while (!entry.empty() && entry.back() == ' ') entry.remove_suffix(1);
    if (equals_ignoring_case(entry, token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

namespace {

/// Whether a Connection header says more than nearly every client's: keep-alive, close or upgrade.
/// (nginx parses the header, but does not keep where it stands.)
bool names_other_headers(Context& ctx) {
  bool more = false;
  each_header(ctx.r->headers_in.headers, [&](ngx_table_elt_t& h) {
    if (h.key.len != 10 || !equals_ignoring_case(view(h.key), "connection")) return;
    const std::string_view value = view(h.value);
    more = more || !(equals_ignoring_case(value, "keep-alive") || equals_ignoring_case(value, "close") ||
                     equals_ignoring_case(value, "upgrade"));
  });
  return more;
}

/// A header that one of the client's Connection headers names is for this hop alone.
bool is_hop_by_hop(Context& ctx, std::string_view name) {
  bool named = false;
  each_header(ctx.headers_replaced ? ctx.client_headers : ctx.r->headers_in.headers, [&](ngx_table_elt_t& h) {
    named = named || (equals_ignoring_case(view(h.key), "connection") && list_has(view(h.value), name));
  });
  return named && !equals_ignoring_case(name, "host");
}

/// The upstream gets a list without the hop-by-hop headers; the client's own is kept for the record.
bool drop_hop_by_hop(Context& ctx) {
  bool any = false;
  each_header(ctx.r->headers_in.headers, [&](ngx_table_elt_t& h) { any = any || is_hop_by_hop(ctx, view(h.key)); });
  if (!any) return true;
  ctx.client_headers = ctx.r->headers_in.headers;
  if (ctx.client_headers.last == &ctx.r->headers_in.headers.part) ctx.client_headers.last = &ctx.client_headers.part;
  ctx.headers_replaced = true;
  ngx_list_t& list = ctx.r->headers_in.headers;
  if (ngx_list_init(&list, ctx.r->pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK) return false;
  bool ok = true;
  each_header(ctx.client_headers, [&](ngx_table_elt_t& h) {
    if (is_hop_by_hop(ctx, view(h.key))) return;
    auto* copy = static_cast<ngx_table_elt_t*>(ngx_list_push(&list));
    if (copy != nullptr) *copy = h;
    ok = ok && copy != nullptr;
  });
  return ok;
}

/// Appends "Name: value\r\n".
struct HeaderBlock {
  u_char* p;
  void raw(std::string_view s) { p = ngx_cpymem(p, s.data(), s.size()); }
  void line(std::string_view name, std::string_view value) { raw(name), raw(": "), raw(value), raw("\r\n"); }
};

/// What a trusted client says of itself, or what is seen of it. An empty header says something too.
std::string_view or_trusted(Context& ctx, bool trusted, std::string_view header, std::string_view own) {
  std::optional<std::string_view> given;
  if (trusted) {
    each_client_header(ctx, [&](std::string_view name, std::string_view value) {
      if (!given && name == header) given = value;
    });
  }
  return given.value_or(own);
}

}  // namespace

std::string_view via_token(ViaVersion version) {
  static const auto& tokens = *new std::array<std::string, 4>{
      "1.1 " + std::string(kViaName), "1 " + std::string(kViaName), "2 " + std::string(kViaName),
      "0.9 " + std::string(kViaName)};
  return tokens[static_cast<std::size_t>(version)];
}

std::string_view appended(Context& ctx, std::string_view list, std::string_view entry) {
  if (list.empty()) return entry;
  auto* start = static_cast<u_char*>(ngx_pnalloc(ctx.r->pool, list.size() + 2 + entry.size()));
  if (start == nullptr) return entry;
  HeaderBlock block{start};
  block.raw(list), block.raw(", "), block.raw(entry);
  return {reinterpret_cast<char*>(start), static_cast<std::size_t>(block.p - start)};
}

bool is_trusted(const ngx_http_request_t* r) {
  MainConf* conf = main_conf(r);
  if (conf->trusted.empty()) return false;
  ngx_array_t cidrs{conf->trusted.data(), conf->trusted.size(), sizeof(ngx_cidr_t), conf->trusted.size(), nullptr};
  const std::string_view text = connection_address(const_cast<ngx_http_request_t*>(r));
  ngx_addr_t address;
  if (ngx_parse_addr(r->pool, &address, reinterpret_cast<u_char*>(const_cast<char*>(text.data())), text.size()) != NGX_OK)
    return false;
  return ngx_cidr_match(address.sockaddr, &cidrs) == NGX_OK;
}

std::string_view forwarded_scheme(Context& ctx) {
  return or_trusted(ctx, is_trusted(ctx.r), "x-forwarded-proto", client_scheme(ctx.r));
}

std::string_view forwarded_host(Context& ctx) {
  return or_trusted(ctx, is_trusted(ctx.r), "x-forwarded-host", client_host(ctx.r));
}

std::string_view trusted_header(Context& ctx, std::string_view header, std::string_view own) {
  return or_trusted(ctx, is_trusted(ctx.r), header, own);
}

void lend_request_line(Context& ctx) {
  ngx_http_request_t* r = ctx.r;
  r->unparsed_uri = ctx.upstream_uri;
  r->valid_unparsed_uri = 1;
  if (ctx.upstream_method != 0 && !ctx.line_lent) {
    ctx.client_method = r->method;
    r->method = ctx.upstream_method;
    r->method_name = ctx.upstream_method_name;
  }
  ctx.line_lent = true;
}

void take_back_request_line(Context& ctx) {
  if (!ctx.line_lent) return;
  ngx_http_request_t* r = ctx.r;
  if (ctx.client_target.data != nullptr) r->unparsed_uri = ctx.client_target;
  if (ctx.upstream_method != 0) {
    r->method = ctx.client_method;
    r->method_name = ctx.method;
  }
  ctx.line_lent = false;
}

bool prepare_target(Context& ctx, std::string_view path, std::size_t matched_length) {
  ngx_http_request_t* r = ctx.r;
  // The event thread's own, so that the usual request allocates nothing here.
  static auto& target = *new std::string;
  target.clear();
  gateway::append_upstream_path(*ctx.route, ctx.service->path, path, matched_length, target);
  // The query goes on as it came; a lone '?' too.
  const std::string_view sent = view(ctx.client_target);
  if (const std::size_t query = sent.find('?'); query != std::string_view::npos) target.append(sent.substr(query));
  ctx.upstream_uri = copy_to_pool(r->pool, target);
  if (ctx.upstream_uri.data == nullptr) return false;
  if (ctx.route->strip_path && matched_length > 1) ctx.matched_prefix = path.substr(0, matched_length);
  return true;
}

namespace {

/// X-Forwarded-For with the connection's address: a client may have sent several, which are one list. Without any, the
/// client's address, however it came to be known.
std::string_view forwarded_for(Context& ctx) {
  std::string_view list;
  const ngx_array_t& sent = ctx.r->headers_in.x_forwarded_for;
  if (sent.nelts == 0) return view(ctx.r->connection->addr_text);
  for (ngx_uint_t i = 0; i < sent.nelts; ++i) {
    list = appended(ctx, list, parsed(static_cast<ngx_table_elt_t**>(sent.elts)[i]));
  }
  return appended(ctx, list, connection_address(ctx.r));
}

std::string_view port_text(Context& ctx) {
  auto* text = static_cast<u_char*>(ngx_pnalloc(ctx.r->pool, 8));
  if (text == nullptr) return {};
  const u_char* end = ngx_sprintf(text, "%ui", static_cast<ngx_uint_t>(client_port(ctx.r)));
  return {reinterpret_cast<char*>(text), static_cast<std::size_t>(end - text)};
}

Forwarded forwarded_headers(Context& ctx) {
  ngx_http_request_t* r = ctx.r;
  const bool trusted = is_trusted(r);
  Forwarded f;
  f.via = appended(ctx, parsed(r->headers_in.via), via_token(client_version(r)));
  f.for_ = forwarded_for(ctx);
  f.proto = or_trusted(ctx, trusted, "x-forwarded-proto", client_scheme(r));
  f.host = or_trusted(ctx, trusted, "x-forwarded-host", client_host(r));
  f.port = or_trusted(ctx, trusted, "x-forwarded-port", port_text(ctx));
  f.path = or_trusted(ctx, trusted, "x-forwarded-path", gateway::path_of(view(ctx.client_target)));
  f.prefix = or_trusted(ctx, trusted, "x-forwarded-prefix", ctx.matched_prefix);
  if (main_conf(r)->upstream_request_id) f.request_id = ctx.request_id();
  f.real_ip = view(r->connection->addr_text);
  return f;
}

}  // namespace

bool prepare_headers(Context& ctx) {
  const auto& in = ctx.r->headers_in;
  if (names_other_headers(ctx) && !drop_hop_by_hop(ctx)) return false;
  if (!ctx.exchange.service_request().apply_headers()) return false;
  const Forwarded f = forwarded_headers(ctx);
  ctx.wants_trailers = in.te != nullptr && list_has(parsed(in.te), "trailers");
  ctx.websocket = equals_ignoring_case(parsed(in.upgrade), "websocket");
  if (ctx.grpc) {
    ctx.forwarded = f;
    return true;
  }
  constexpr std::size_t kNames = 320;  // All names and separators below come to less.
  const std::size_t bytes = kNames + f.via.size() + ctx.upstream_host.len + f.for_.size() +
                            f.proto.size() + f.host.size() + f.port.size() + f.path.size() + f.prefix.size() +
                            f.request_id.size() + f.real_ip.size();
  auto* start = static_cast<u_char*>(ngx_pnalloc(ctx.r->pool, bytes));
  if (start == nullptr) return false;
  // The value of the header "Via", followed by whole lines: nginx then evaluates one variable, not a dozen.
  HeaderBlock block{start};
  block.raw(f.via), block.raw("\r\n");
  block.line("Host", view(ctx.upstream_host));
  if (ctx.websocket) {
    block.line("Connection", "keep-alive, Upgrade");
    block.line("Upgrade", "websocket");
  } else {
    block.line("Connection", "keep-alive");
  }
  block.line("X-Forwarded-For", f.for_);
  const auto line_unless_empty = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) block.line(name, value);
  };
  line_unless_empty("X-Forwarded-Proto", f.proto);
  line_unless_empty("X-Forwarded-Host", f.host);
  line_unless_empty("X-Forwarded-Port", f.port);
  line_unless_empty("X-Forwarded-Path", f.path);
  line_unless_empty("X-Forwarded-Prefix", f.prefix);
  if (ctx.wants_trailers) block.line("TE", "trailers");
  block.raw("X-Real-IP: "), block.raw(f.real_ip);  // nginx ends the last line.
  if (!f.request_id.empty()) block.raw("\r\nX-Kong-Request-Id: "), block.raw(f.request_id);
  ctx.upstream_headers = {static_cast<std::size_t>(block.p - start), start};
  return true;
}

}  // namespace gibbon::nginx
