#include "gateway/nginx/kit/service.hpp"

#include <new>
#include <stdexcept>

#include "gateway/nginx/context.hpp"
#include "gateway/nginx/service_targets.hpp"

namespace gibbon::nginx {
namespace {

constexpr std::uint32_t kMostRetries = 32767;
constexpr std::int64_t kLongestTimeoutMs = 2147483646;
constexpr Phases kAnswered = {Phase::kResponse, Phase::kHeaderFilter, Phase::kBodyFilter, Phase::kLog};

ngx_msec_t checked_timeout(const char* name, std::chrono::milliseconds timeout) {
  if (timeout.count() >= 1 && timeout.count() <= kLongestTimeoutMs) return static_cast<ngx_msec_t>(timeout.count());
  throw std::invalid_argument(std::string(name) + " timeout must be between 1 and 2147483646 ms: " +
                              std::to_string(timeout.count()));
}

void go_to(Context& ctx, std::shared_ptr<UpstreamTarget> target) {
  ctx.chosen_target = std::move(target);
  ctx.target = ctx.chosen_target.get();
}

}  // namespace

bool ServiceAdapter::set_upstream(std::string_view name) {
  ctx_.require("set_upstream", {Phase::kAccess});
  const gateway::UpstreamPlan* upstream = ctx_.runtime != nullptr ? ctx_.runtime->find_upstream(name) : nullptr;
  if (upstream == nullptr) return false;
  if (ctx_.service != nullptr) go_to(ctx_, chosen_target(ctx_, *upstream));
  return true;
}

void ServiceAdapter::set_target(std::string_view host, std::uint16_t port) {
  ctx_.require("set_target", {Phase::kAccess});
  if (host.empty()) throw std::invalid_argument("set_target() needs a host");
  if (ctx_.service == nullptr) return;  // The answer is 503, wherever it would go.
  const gateway::UpstreamPlan* upstream = ctx_.runtime->find_upstream(host);
  go_to(ctx_, upstream != nullptr ? chosen_target(ctx_, *upstream) : chosen_target(ctx_, host, port));
  ctx_.exchange.service_request().tell_host(host);  // As Kong does: without the port, and whatever preserve_host says.
}

void ServiceAdapter::set_retries(std::uint32_t retries) {
  ctx_.require("set_retries", {Phase::kAccess});
  if (retries > kMostRetries)
    throw std::invalid_argument("retries must be between 0 and 32767: " + std::to_string(retries));
  ctx_.chosen_retries = static_cast<std::int32_t>(retries);
}

void ServiceAdapter::set_timeouts(std::chrono::milliseconds connect, std::chrono::milliseconds write,
                                  std::chrono::milliseconds read) {
  ctx_.require("set_timeouts", {Phase::kAccess});
  const UpstreamTimeouts wanted{checked_timeout("connect", connect), checked_timeout("write", write),
                                checked_timeout("read", read)};
  void* memory = ngx_palloc(ctx_.r->pool, sizeof(UpstreamTimeouts));
  if (memory == nullptr) throw std::bad_alloc();
  ctx_.chosen_timeouts = new (memory) UpstreamTimeouts(wanted);
}

int ServiceResponseAdapter::status() const {
  ctx_.require("status", kAnswered);
  return ctx_.proxied && ctx_.r->upstream != nullptr ? static_cast<int>(ctx_.r->upstream->headers_in.status_n) : 0;
}

std::string_view ServiceResponseAdapter::header(std::string_view name) const {
  std::string_view found;
  bool seen = false;
  const auto look = [&](std::string_view n, std::string_view value) {
    if (!seen && equals_ignoring_case(n, name)) found = value, seen = true;
  };
  each_header(look);
  return found;
}

void ServiceResponseAdapter::each_header(HeaderVisitor visit) const {
  if (status() == 0) return;
  nginx::each_header(ctx_.r->upstream->headers_in.headers,
                     [&](const ngx_table_elt_t& h) { visit(view(h.key), view(h.value)); });
}

const RouteView* RouterAdapter::route() const {
  if (route_ != nullptr || ctx_.route == nullptr) return route_;
  void* memory = ngx_palloc(ctx_.r->pool, sizeof(RouteView));
  if (memory == nullptr) throw std::bad_alloc();
  route_ = new (memory) RouteView{ctx_.route->id, ctx_.route->name};
  return route_;
}

const ServiceView* RouterAdapter::service() const {
  const config::Service* service = ctx_.service;
  if (service_ != nullptr || service == nullptr) return service_;
  void* memory = ngx_palloc(ctx_.r->pool, sizeof(ServiceView));
  if (memory == nullptr) throw std::bad_alloc();
  service_ = new (memory)
      ServiceView{service->id, service->name, service->protocol, service->host, service->path, service->port};
  return service_;
}

}  // namespace gibbon::nginx
