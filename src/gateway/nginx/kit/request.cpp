#include "gateway/nginx/kit/request.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/forward.hpp"
#include "gateway/nginx/hash_input.hpp"
#include "gateway/nginx/kit/body.hpp"
#include "gateway/nginx/kit/header_text.hpp"
#include "gateway/request/arguments.hpp"
#include "gateway/router/path.hpp"

namespace gibbon::nginx {
namespace {

/// The value goes to the pool, so that it lives as long as the exchange.
Parameter in_pool(Context& ctx, const gateway::Found& found) {
  if (found.kind != Parameter::Kind::kText) return {found.kind, {}};
  return {found.kind, view(copy_to_pool(ctx.r->pool, found.text))};
}

constexpr Phases kAccessAndLater = {Phase::kAccess, Phase::kResponse, Phase::kHeaderFilter, Phase::kBodyFilter,
                                    Phase::kLog};

/// `part` itself where it is a part of `whole`, which lives as long as the exchange; a copy of it otherwise.
std::string_view lasting(Context& ctx, std::string_view whole, std::string_view part) {
  const std::less_equal<const char*> ordered;
  const bool inside = ordered(whole.data(), part.data()) && ordered(part.data() + part.size(), whole.data() + whole.size());
  return inside || part.empty() ? part : view(copy_to_pool(ctx.r->pool, part));
}

std::string_view in_lower_case(Context& ctx, std::string_view text) {
  if (std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) return text;
  const ngx_str_t copy = copy_to_pool(ctx.r->pool, text);
  ngx_strlow(copy.data, copy.data, copy.len);
  return view(copy);
}

struct HostAndPort {
  std::string_view name, port;
};

/// "user@host:port", as Kong takes X-Forwarded-Host apart.
HostAndPort split_host(std::string_view text) {
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) text.remove_prefix(at + 1);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

/// 0 where it is none.
std::uint16_t port_number(std::string_view text) {
  std::uint16_t port = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), port);
  return end.ec == std::errc() && end.ptr == text.data() + text.size() ? port : 0;
}

}  // namespace

std::string_view RequestAdapter::method() const { return view(ctx_.method); }

std::string_view RequestAdapter::scheme() const { return client_scheme(ctx_.r); }

std::string_view RequestAdapter::host() const { return view(ctx_.r->headers_in.server); }

std::uint16_t RequestAdapter::port() const { return client_port(ctx_.r); }

std::string_view RequestAdapter::target() const { return view(ctx_.client_target); }

std::string_view RequestAdapter::header(std::string_view name) const {
  std::string_view found;
  bool seen = false;
  each_client_header(ctx_, [&](std::string_view n, std::string_view v) {
    if (!seen && equals_ignoring_case(n, name)) found = v, seen = true;
  });
  return found;
}

void RequestAdapter::each_header(HeaderVisitor visit) const { each_client_header(ctx_, visit); }

Parameter RequestAdapter::find_header(std::string_view name) const {
  Parameter found;
  each_client_header(ctx_, [&](std::string_view n, std::string_view v) {
    if (!same_header(n, name)) return;
    found = found.kind == Parameter::Kind::kMissing ? Parameter{Parameter::Kind::kText, v}
                                                    : Parameter{Parameter::Kind::kRepeated, {}};
  });
  return found;
}

Parameter RequestAdapter::find_query_argument(std::string_view name) const {
  const std::string_view sent = query();
  if (sent.empty()) return {};
  return in_pool(ctx_, gateway::find_argument(sent, name));
}

Parameter RequestAdapter::find_body_field(std::string_view name) const {
  ctx_.require("find_body_field", {Phase::kAccess});
  const std::string_view body = client_request_body(ctx_);
  if (body.empty()) return {};
  return in_pool(ctx_, gateway::find_body_field(header("content-type"), body, name));
}

void RequestAdapter::capture_body(std::size_t limit_bytes) {
  ctx_.require("capture_body", {Phase::kRewrite, Phase::kAccess});
  ctx_.request_body.want(limit_bytes);
  if (ctx_.r->request_body != nullptr) capture_read_body(ctx_);
}

void RequestAdapter::hide_body_field(std::string_view name) {
  ctx_.require("hide_body_field", {Phase::kAccess});
  const std::string_view body = client_request_body(ctx_);
  if (body.empty()) return;
  for (const gateway::Piece& value : gateway::find_body_field(header("content-type"), body, name).values) {
    ctx_.request_body.overwrite(value.begin, value.end, '*');
    ctx_.hidden_pieces.push_back(value);
  }
}

std::string_view RequestAdapter::protocol() const { return view(ctx_.r->http_protocol); }

std::string_view RequestAdapter::path() const {
  if (path_.data() != nullptr) return path_;
  const std::string_view sent = gateway::path_of(target());
  std::string buffer;
  const std::string_view normal = gateway::normalize_path(sent, buffer);
  path_ = normal.data() == buffer.data() ? view(copy_to_pool(ctx_.r->pool, normal)) : normal;
  return path_;
}

std::string_view RequestAdapter::query() const {
  const std::string_view sent = target();
  const std::size_t mark = sent.find('?');
  return mark == std::string_view::npos ? std::string_view() : sent.substr(mark + 1);
}

std::int64_t RequestAdapter::started_ms() const { return nginx::started_ms(ctx_.r); }
std::string_view RequestAdapter::id() const { return ctx_.request_id(); }

TlsView RequestAdapter::tls() const {
  TlsView tls;
#if (NGX_HTTP_SSL)
  ngx_connection_t* c = ctx_.r->connection;
  if (c->ssl == nullptr) return tls;
  tls.version = SSL_get_version(c->ssl->connection);
  if (const char* cipher = SSL_get_cipher_name(c->ssl->connection)) tls.cipher = cipher;
  ngx_str_t verify{};
  if (ngx_ssl_get_client_verify(c, ctx_.r->pool, &verify) == NGX_OK) tls.client_verify = view(verify);
#endif
  return tls;
}

ConnectionView RequestAdapter::connection() const {
  ngx_connection_t* c = ctx_.r->connection;
  ConnectionView seen{{}, c->number, c->requests};
  ngx_str_t address{NGX_SOCKADDR_STRLEN, static_cast<u_char*>(ngx_pnalloc(ctx_.r->pool, NGX_SOCKADDR_STRLEN))};
  if (address.data != nullptr && ngx_connection_local_sockaddr(c, &address, 0) == NGX_OK)
    seen.server_address = view(address);
  return seen;
}

std::string_view RequestAdapter::forwarded_scheme() const {
  return in_lower_case(ctx_, trusted_header(ctx_, "x-forwarded-proto", scheme()));
}

std::string_view RequestAdapter::forwarded_host() const {
  const std::string_view said = trusted_header(ctx_, "x-forwarded-host", {});
  if (said.data() == nullptr) return host();
  return in_lower_case(ctx_, split_host(said).name);
}

std::uint16_t RequestAdapter::forwarded_port() const {
  if (const std::uint16_t said = port_number(trusted_header(ctx_, "x-forwarded-port", {}))) return said;
  if (const std::uint16_t said = port_number(split_host(trusted_header(ctx_, "x-forwarded-host", {})).port)) return said;
  return port();
}

void RequestAdapter::each_query_argument(ArgumentVisitor visit) const {
  const std::string_view sent = query();
  const auto pass_on = [&](std::string_view name, std::string_view value, bool has_value) {
    visit(lasting(ctx_, sent, name), lasting(ctx_, sent, value), has_value);
  };
  gateway::each_argument(sent, pass_on);
}

std::string_view RequestAdapter::uri_capture(std::string_view name) const {
  ctx_.require("uri_capture", kAccessAndLater);
  const std::span<const UriCapture> captures = uri_captures(ctx_);
  std::size_t index = 0;
  const auto number = std::from_chars(name.data(), name.data() + name.size(), index);
  if (number.ec == std::errc() && number.ptr == name.data() + name.size())
    return index < captures.size() ? captures[index].value : std::string_view();
  for (const UriCapture& capture : captures)
    if (!name.empty() && capture.name == name) return capture.value;
  return {};
}

std::int64_t RequestAdapter::content_length() const {
  const ngx_table_elt_t* sent = ctx_.body_replaced ? ctx_.client_content_length : ctx_.r->headers_in.content_length;
  return sent == nullptr ? -1 : ngx_atoof(sent->value.data, sent->value.len);
}

Body RequestAdapter::body() const {
  ctx_.require("body", kAccessAndLater);
  const std::string_view bytes = client_request_body(ctx_);
  const std::uint64_t size = client_request_body_size(ctx_);
  return {bytes, size, bytes.size() != size};
}

}  // namespace gibbon::nginx
