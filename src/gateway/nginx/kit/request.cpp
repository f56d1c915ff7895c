#include "gateway/nginx/kit/request.hpp"

#include "gateway/nginx/client_view.hpp"
#include "gateway/request/arguments.hpp"

namespace gibbon::nginx {
namespace {

/// The value goes to the pool, so that it lives as long as the exchange.
Parameter in_pool(Context& ctx, const gateway::Found& found) {
  if (found.kind != Parameter::Kind::kText) return {found.kind, {}};
  return {found.kind, view(copy_to_pool(ctx.r->pool, found.text))};
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
  const std::string_view target = view(ctx_.client_target);
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {};
  return in_pool(ctx_, gateway::find_argument(target.substr(mark + 1), name));
}

Parameter RequestAdapter::find_body_field(std::string_view name) const {
  const std::string_view body = nginx::request_body(ctx_);
  if (body.empty()) return {};
  return in_pool(ctx_, gateway::find_body_field(header("content-type"), body, name));
}

void RequestAdapter::capture_body(std::size_t limit_bytes) {
  ctx_.request_body.want(limit_bytes);
  if (ctx_.r->request_body != nullptr) capture_read_body(ctx_);
}

void RequestAdapter::hide_body_field(std::string_view name) {
  const std::string_view body = nginx::request_body(ctx_);
  if (body.empty() || ctx_.client_body_length >= 0) return;  // Another body than the client's was hidden before.
  for (const gateway::Piece& value : gateway::find_body_field(header("content-type"), body, name).values) {
    ctx_.request_body.overwrite(value.begin, value.end, '*');
    ctx_.hidden_pieces.push_back(value);
  }
}

std::string_view RequestAdapter::protocol() const { return view(ctx_.r->http_protocol); }
std::string_view RequestAdapter::path() const { return {}; }
std::string_view RequestAdapter::query() const { return {}; }
std::int64_t RequestAdapter::started_ms() const { return nginx::started_ms(ctx_.r); }
std::string_view RequestAdapter::id() const { return ctx_.request_id(); }
TlsView RequestAdapter::tls() const { return {}; }
std::string_view RequestAdapter::forwarded_scheme() const { return scheme(); }
std::string_view RequestAdapter::forwarded_host() const { return host(); }
std::uint16_t RequestAdapter::forwarded_port() const { return port(); }
void RequestAdapter::each_query_argument(ArgumentVisitor) const {}
std::string_view RequestAdapter::uri_capture(std::string_view) const { return {}; }
std::int64_t RequestAdapter::content_length() const { return ctx_.r->headers_in.content_length_n; }
Body RequestAdapter::body() const { return {}; }

}  // namespace gibbon::nginx
