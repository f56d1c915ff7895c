#include "gateway/nginx/phases.hpp"

#include "gateway/nginx/answers.hpp"
#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/conf.hpp"
#include "gateway/nginx/forward.hpp"
#include "gateway/nginx/kit/body.hpp"
#include "gateway/nginx/run_phase.hpp"
#include "gateway/nginx/service_targets.hpp"
#include "gateway/nginx/worker.hpp"
#include "gateway/router/path.hpp"

namespace gibbon::nginx {
namespace {

/// Ends the request with ctx.answer; for phases in which nginx would take NGX_OK for "go on".
ngx_int_t finish_with_answer(Context& ctx) {
  ngx_http_finalize_request(ctx.r, send_answer(ctx));
  return NGX_DONE;
}

ngx_int_t answer(Context& ctx, int status, std::string_view message) {
  ctx.answer = message_answer(ctx, status, message);
  return finish_with_answer(ctx);
}

void visit_headers(const void* context, std::string_view name, gateway::HeaderSource::Visit visit, void* argument) {
  auto* r = static_cast<ngx_http_request_t*>(const_cast<void*>(context));
  bool go_on = true;
  each_header(r->headers_in.headers, [&](ngx_table_elt_t& h) {
    if (go_on && equals_ignoring_case(view(h.key), name)) go_on = visit(argument, view(h.value));
  });
}

std::uint16_t host_header_port(const ngx_http_request_t* r) {
  if (r->headers_in.host == nullptr) return 0;
  const std::string_view host = view(r->headers_in.host->value);
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos) return 0;
  const ngx_int_t port = ngx_atoi(r->headers_in.host->value.data + colon + 1, host.size() - colon - 1);
  return port > 0 && port <= 65535 ? static_cast<std::uint16_t>(port) : 0;
}

gateway::MatchInput match_input(Context& ctx, std::string_view path) {
  ngx_http_request_t* r = ctx.r;
  gateway::MatchInput input;
  input.method = view(ctx.method);
  input.scheme = client_scheme(r);
  input.host = view(r->headers_in.server);
  input.port = host_header_port(r);
  input.path = path;
  input.sni = client_sni(r);
  input.headers = {visit_headers, r};
  input.source = r->connection->sockaddr;
  input.destination = r->connection->local_sockaddr;
  input.forwarded_scheme = forwarded_scheme(ctx);
  input.http_major = r->http_version >= NGX_HTTP_VERSION_20 ? 2 : 1;
  if (r->headers_in.content_type != nullptr)
    input.grpc = view(r->headers_in.content_type->value).starts_with("application/grpc");
  return input;
}

/// Ends a request whose match cannot be served as it came; NGX_DECLINED where it can.
ngx_int_t redirect_or_refuse(Context& ctx, gateway::Outcome outcome) {
  ngx_http_request_t* r = ctx.r;
  switch (outcome) {
    case gateway::Outcome::kServe:
      return NGX_DECLINED;
    case gateway::Outcome::kHttp2Required:
      add_answer_header(r, str("Upgrade"), str("HTTP/2"));
      add_answer_header(r, str("Connection"), str("Upgrade"));
      return answer(ctx, 426, "Please use HTTP2 protocol");
    case gateway::Outcome::kGrpcRequired:
      return answer(ctx, 415, "Non-gRPC request matched gRPC route");
    case gateway::Outcome::kGrpcsRequired:
      add_answer_header(r, str("grpc-status"), str("1"));
      add_answer_header(r, str("grpc-message"), str("gRPC request matched gRPCs route"));
      ctx.answer.status = NGX_HTTP_OK;
      ctx.answer.content_type = str("application/grpc");
      return finish_with_answer(ctx);
    case gateway::Outcome::kHttpsRequired:
      break;
  }
  const int status = ctx.route->https_redirect_status_code;
  if (status == 426) {
    if (r->http_version < NGX_HTTP_VERSION_20) {
      add_answer_header(r, str("Upgrade"), str("TLS/1.2, HTTP/1.1"));
      add_answer_header(r, str("Connection"), str("Upgrade"));
    }
    return answer(ctx, 426, "Please use HTTPS protocol");
  }
  std::string location = "https://";
  location.append(forwarded_host(ctx)).append(view(ctx.client_target));
  add_answer_header(r, str("Location"), copy_to_pool(r->pool, location));
  ctx.answer.status = status;
  return finish_with_answer(ctx);
}

/// Which route and service serve the request, for an operator who asks with Kong-Debug and is allowed to.
void add_debug_headers(Context& ctx) {
  if (!main_conf(ctx.r)->allow_debug_header) return;
  bool asked = false;
  each_client_header(ctx, [&](std::string_view name, std::string_view) { asked = asked || name == "kong-debug"; });
  if (!asked) return;
  const auto add = [&ctx](std::string_view name, const std::string& value) {
    if (!value.empty()) add_answer_header(ctx.r, str(name), str(value));
  };
  add("Kong-Route-Id", ctx.route->id);
  add("Kong-Route-Name", ctx.route->name);
  if (ctx.service == nullptr) return;
  add("Kong-Service-Id", ctx.service->id);
  add("Kong-Service-Name", ctx.service->name);
}

ngx_int_t route_request(Context& ctx) {
  std::string buffer;
  const std::string_view path = gateway::normalize_path(gateway::path_of(view(ctx.client_target)), buffer);
  gateway::Match match;
  if (ctx.runtime == nullptr || !ctx.runtime->match(match_input(ctx, path), &match)) {
    return answer(ctx, NGX_HTTP_NOT_FOUND, "no Route matched with those values");
  }
  ctx.route = &ctx.runtime->route(match);
  ctx.route_index = match.route;
  ctx.path_pattern = match.pattern;
  ctx.service = ctx.runtime->service(match);
  ctx.set_chain(&ctx.runtime->chain(match));
  add_debug_headers(ctx);
  if (const ngx_int_t rc = redirect_or_refuse(ctx, match.outcome); rc != NGX_DECLINED) return rc;
  ctx.stage = Stage::kRouted;
  if (ctx.service == nullptr) return NGX_DECLINED;  // Its plugins may still answer.
  ctx.target = service_target(ctx);
  ctx.grpc = ctx.service->protocol == "grpc" || ctx.service->protocol == "grpcs";
  if (!prepare_target(ctx, path, match.matched_length)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (!ctx.matched_prefix.empty()) {  // It may lie in `buffer`.
    const ngx_str_t kept = copy_to_pool(ctx.r->pool, ctx.matched_prefix);
    ctx.matched_prefix = view(kept);
  }
  return NGX_DECLINED;
}

/// Kong's default: the whole body is read before the upstream is called, so that another peer can be tried.
bool must_read_body(const Context& ctx) {
  return ctx.route->request_buffering && !ctx.grpc && has_unread_body(ctx.r);
}

ngx_int_t forward(Context& ctx) {
  ngx_http_request_t* r = ctx.r;
  set_upstream_host(ctx);
  if (!prepare_headers(ctx)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ctx.stage = Stage::kForwarded;
  lend_request_line(ctx);  // The balancer takes it back.
  if (!ctx.grpc) return NGX_DECLINED;
  ngx_str_t location = ngx_string("@gibbon_grpc");
  ngx_http_named_location(r, &location);
  ngx_http_finalize_request(r, NGX_DONE);
  return NGX_DONE;
}

ngx_int_t run_access(Context& ctx) {
  if (ctx.stage == Stage::kRouted && !ctx.access_done) {
    if (const ngx_int_t rc = run_waiting_phase(ctx, Phase::kAccess); rc != NGX_OK) return rc;
    ctx.access_done = true;
    if (ctx.answer.status != 0) return finish_with_answer(ctx);
  }
  if (ctx.service == nullptr) return answer(ctx, NGX_HTTP_SERVICE_UNAVAILABLE, "no Service found with those values");
  if (ctx.stage == Stage::kResolving) return NGX_AGAIN;
  if (ctx.tries == nullptr || ctx.tries->peer() == nullptr) {
    const ngx_int_t rc = choose_peer(ctx);
    if (rc == NGX_AGAIN) return NGX_AGAIN;
    if (rc == NGX_ERROR) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    const bool upstream = ctx.target->host().kind() == BalancedHost::Kind::kUpstream;
    if (rc != NGX_OK)
      return answer(ctx, NGX_HTTP_SERVICE_UNAVAILABLE,
                    upstream ? "failure to get a peer from the ring-balancer" : "name resolution failed");
  }
  if (must_read_body(ctx)) {
    if (ctx.stage == Stage::kReadingBody) return NGX_AGAIN;
    ctx.stage = Stage::kReadingBody;
    return read_request_body(ctx);
  }
  return forward(ctx);
}

}  // namespace

ngx_int_t rewrite_phase(ngx_http_request_t* r) noexcept {
  if (r != r->main || !loc_conf(r)->enabled) return NGX_DECLINED;
  try {
    Context* ctx = Context::of(r);
    if (ctx == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    if (ctx->stage != Stage::kNew) return NGX_DECLINED;
    if (run_waiting_phase(*ctx, Phase::kRewrite) == NGX_AGAIN) return NGX_DONE;
    if (ctx->answer.status != 0) return finish_with_answer(*ctx);
    return route_request(*ctx);
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "gibbon: rewrite phase: %s", e.what());
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
}

ngx_int_t access_phase(ngx_http_request_t* r) noexcept {
  if (r != r->main || !loc_conf(r)->enabled) return NGX_DECLINED;
  try {
    Context* ctx = Context::find(r);
    if (ctx == nullptr || ctx->route == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    if (ctx->stage == Stage::kForwarded) return NGX_DECLINED;  // The gRPC location's own turn.
    return run_access(*ctx);
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "gibbon: access phase: %s", e.what());
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
}

ngx_int_t log_phase(ngx_http_request_t* r) noexcept {
  if (r != r->main) return NGX_OK;
  // A request that nginx refused before any phase has no context yet; its record begins here.
  Context* ctx = Context::of(r);
  if (ctx == nullptr) return NGX_OK;
  ctx->headers_filtered = true;
  report_last_try(*ctx);
  run_phase(*ctx, Phase::kLog, ctx->chain().log(),
            [&](const gateway::ChainItem& item) { item.plugin->log(ctx->exchange, item.config); });
  return NGX_OK;
}

}  // namespace gibbon::nginx
