#include "gateway/nginx/tries.hpp"

#include <new>

#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/context.hpp"
#include "gateway/nginx/hash_input.hpp"

namespace gibbon::nginx {
namespace {

/// How many more peers a request may leave than nginx counts tries: those that were taken out of the balancer
/// before they were asked, or with their kept connections.
constexpr std::size_t kSpareTries = 8;

std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  return colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos ? host : host.substr(0, colon);
}

}  // namespace

Tries* Tries::make(ngx_pool_t* pool, BalancedHost& host, std::size_t most,
                   std::optional<std::uint64_t> hash) {
  void* memory = ngx_palloc(pool, sizeof(Tries) + most * sizeof(gateway::Peer*));
  if (memory == nullptr) return nullptr;
  auto** left = reinterpret_cast<gateway::Peer**>(static_cast<char*>(memory) + sizeof(Tries));
  return new (memory) Tries(host, left, most, hash);
}

Tries::~Tries() {
  leave_current();
  for (std::size_t i = 0; i < left_count_; ++i) left_[i]->release();
}

void Tries::leave_current() {
  if (current_ == nullptr) return;
  if (counted_) --current_->connections;
  counted_ = false;
  current_->release();
  current_ = nullptr;
}

gateway::Peer* Tries::next() {
  gateway::Balancer& balancer = host_.balancer();
  // A kept connection that the peer had closed says nothing of the peer: it is asked again, over a new one.
  const bool unused = state_ == State::kPicked || state_ == State::kFailedOnReused;
  if (current_ != nullptr && unused && balancer.usable(*current_)) {
    if (!counted_) ++current_->connections;
    counted_ = true;
    return current_;
  }
  if (current_ != nullptr) {
    // Kept also where it was not asked, since the request may still point at its texts.
    if (left_count_ == most_left_) return nullptr;
    current_->retain();
    left_[left_count_++] = current_;
  }
  leave_current();
  current_ = balancer.pick({hash_, {left_, left_count_}, now_ms()});
  counted_ = current_ != nullptr;
  state_ = State::kPicked;
  return current_;
}

void Tries::ended(End end) {
  state_ = end == End::kAnswered ? State::kAnswered
           : end == End::kFailed ? State::kFailed
                                 : State::kFailedOnReused;
  if (current_ != nullptr && counted_) --current_->connections;
  counted_ = false;
}

void Tries::report(int status, double latency_ms) {
  if (current_ == nullptr || status == 0) return;
  gateway::Balancer& balancer = host_.balancer();
  const bool answered = state_ == State::kAnswered || state_ == State::kUnderWay;
  if (!answered && state_ != State::kFailed && state_ != State::kFailedOnReused) return;
  if (status == NGX_HTTP_GATEWAY_TIME_OUT) {
    // Also over a reused connection: it stayed silent. The next try goes elsewhere.
    if (state_ == State::kFailedOnReused) state_ = State::kFailed;
    balancer.saw_timeout(*current_);
  } else if (answered) {
    balancer.saw_status(*current_, status);
    balancer.saw_latency(*current_, latency_ms, now_ms());
  } else if (state_ == State::kFailed) {
    balancer.saw_tcp_failure(*current_);
  }
}

void Tries::report_last(int status, double latency_ms) {
  if (current_ == nullptr) return;
  if (state_ == State::kFailed && status != NGX_HTTP_GATEWAY_TIME_OUT &&
      config::status_report(host_.balancer().upstream().passive, status).limit != 0) {
    state_ = State::kAnswered;
  }
  report(status, latency_ms);
}

ngx_int_t choose_peer(Context& ctx) {
  BalancedHost& host = ctx.target->host();
  host.touch();
  if (ctx.tries == nullptr) {
    const config::Upstream& upstream = host.balancer().upstream();
    std::optional<std::uint64_t> hash;
    if (upstream.algorithm == config::Upstream::Algorithm::kConsistentHashing)
      hash = hash_of_request(ctx, upstream);
    ctx.tries = Tries::make(ctx.r->pool, host, upstream_retries(ctx) + kSpareTries, hash);
    if (ctx.tries == nullptr) return NGX_ERROR;
  }
  if (ctx.tries->next() != nullptr) return NGX_OK;
  // No name has brought an address so far, or those that it brought are out of date.
  host.refresh(ngx_time());
  if (ctx.tries->next() != nullptr) return NGX_OK;
  if (!host.asking()) return NGX_DECLINED;
  host.wait(ctx);
  ctx.waits_for = &host;
  ctx.stage = Stage::kResolving;
  return NGX_AGAIN;
}

std::uint32_t upstream_retries(const Context& ctx) {
  return ctx.chosen_retries >= 0 ? static_cast<std::uint32_t>(ctx.chosen_retries) : ctx.service->retries;
}

void set_upstream_host(Context& ctx) {
  ctx.rendered_for = ctx.tries->peer();
  if (const std::string_view told = ctx.exchange.service_request().host(); !told.empty()) {
    ctx.upstream_host = str(told);
    return;
  }
  if (ctx.route->preserve_host) {
    const ngx_table_elt_t* sent = ctx.r->headers_in.host;
    const std::string_view host = sent != nullptr ? view(sent->value) : client_sni(ctx.r);
    ctx.upstream_host = str(host);
    if (!host.empty()) return;
  }
  ctx.upstream_host = str(ctx.target->host_header(*ctx.tries->peer()));
}

std::string_view upstream_host_name(Context& ctx) {
  if (const std::string_view told = ctx.exchange.service_request().host(); !told.empty()) return without_port(told);
  if (ctx.route->preserve_host) return view(ctx.r->headers_in.server);
  const gateway::Peer* peer = ctx.tries != nullptr ? ctx.tries->peer() : nullptr;
  return peer != nullptr ? std::string_view(peer->host_name) : std::string_view(ctx.service->host);
}

void report_last_try(Context& ctx) noexcept {
  const ngx_http_upstream_t* u = ctx.r->upstream;
  if (ctx.tries == nullptr || !ctx.proxied || u == nullptr || u->state == nullptr) return;
  const ngx_http_upstream_state_t& state = *u->state;
  const auto measured = [](ngx_msec_t ms) {
    return ms == static_cast<ngx_msec_t>(-1) ? 0 : static_cast<double>(ms);
  };
  ctx.tries->report_last(static_cast<int>(state.status),
                         measured(state.connect_time) + measured(state.response_time));
}

}  // namespace gibbon::nginx
