#include "gateway/nginx/run_phase.hpp"

#include "gateway/nginx/answers.hpp"
#include "gateway/nginx/conf.hpp"
#include "gateway/nginx/kit/body.hpp"

namespace gibbon::nginx {
namespace {

using gateway::ChainItem;

struct WaitingPhase {
  std::span<const ChainItem> (gateway::Chain::*items)() const;
  Task<> (*PluginDescriptor::*method)(Exchange&, const void*);
  std::uint32_t Context::*next;
};

constexpr WaitingPhase kRewrite = {&gateway::Chain::rewrite, &PluginDescriptor::rewrite, &Context::next_rewrite};
constexpr WaitingPhase kAccess = {&gateway::Chain::access, &PluginDescriptor::access, &Context::next_access};
constexpr WaitingPhase kResponse = {&gateway::Chain::response, &PluginDescriptor::response, &Context::next_response};

const WaitingPhase& description(Phase phase) {
  return phase == Phase::kRewrite ? kRewrite : phase == Phase::kAccess ? kAccess : kResponse;
}

/// The phase goes on from the event loop, as with any event of the connection.
void go_on_later(Context& ctx) {
  ngx_event_t* write = ctx.r->connection->write;
  if (ctx.now == Phase::kResponse) write->delayed = 0;
  ngx_post_event(write, &ngx_posted_events);
}

/// A client that goes away while a handler waits ends its request, as it does while nginx waits for an upstream.
void watch_client(ngx_http_request_t* r) {
  ngx_event_t* read = r->connection->read;
  r->read_event_handler = ngx_http_test_reading;
  // It may have gone before, or HTTP/2 may have told so: there will be no other event.
  if (read->pending_eof || r->connection->error) {
    ngx_post_event(read, &ngx_posted_events);
  }
}

/// While the held answer waits, nginx waits for the client to take it, it believes: send_timeout would end that.
void hold_send_timeout(ngx_http_request_t* r) { r->connection->write->delayed = 1; }

void begin_to_wait_for(Context& ctx, Phase phase) {
  if (phase == Phase::kResponse) return hold_send_timeout(ctx.r);
  watch_client(ctx.r);
}

void end_waiting_for(Context& ctx, Phase phase) {
  if (phase != Phase::kResponse) ctx.r->read_event_handler = ngx_http_block_reading;
}

void on_limit(ngx_event_t* event) noexcept {
  Context& ctx = *static_cast<Context*>(event->data);
  const std::string what = "it has waited for more than " + std::to_string(main_conf(ctx.r)->plugin_wait_ms) + " ms";
  ctx.current = ctx.wait.item;
  report_exception(ctx, what.c_str());
  ctx.current = nullptr;
  stop_waiting(ctx);
  end_waiting_for(ctx, ctx.now);
  go_on_later(ctx);
}

void begin_wait(Context& ctx, const ChainItem& item, Task<> task) {
  PluginWait& wait = ctx.wait;
  wait.task = std::move(task);
  wait.item = &item;
  wait.limit = {};
  wait.limit.data = &ctx;
  wait.limit.log = ctx.log();
  wait.limit.handler = on_limit;
  ngx_add_timer(&wait.limit, main_conf(ctx.r)->plugin_wait_ms);
}

/// Takes up what the coroutine that was waited for has come to.
void end_wait(Context& ctx) {
  Task<> task = std::move(ctx.wait.task);
  const ChainItem* item = ctx.wait.item;
  stop_waiting(ctx);
  guard(ctx, *item, [&] { task.result(); });
}

void run_handler(Context& ctx, const ChainItem& item, const WaitingPhase& phase) {
  guard(ctx, item, [&] {
    Task<> task = (item.plugin->*phase.method)(ctx.exchange, item.config);
    if (!task) return;
    task.start();
    if (task.done()) return task.result();
    begin_wait(ctx, item, std::move(task));
  });
}

}  // namespace

void report_exception(Context& ctx, const char* what) noexcept {
  const PluginDescriptor* plugin = ctx.current->plugin;
  ngx_log_error(NGX_LOG_ERR, ctx.log(), 0, "[%s] exception in %s: %s", plugin->name, phase_name(ctx.now), what);
  if (plugin->failure_policy == FailurePolicy::kOpen || ctx.answer.status != 0) return;
  try {
    if (ctx.now == Phase::kHeaderFilter) {
      answer_without_body(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
    } else if (ctx.now == Phase::kRewrite || ctx.now == Phase::kAccess || ctx.now == Phase::kResponse) {
      ctx.answer = message_answer(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR, "An unexpected error occurred");
    }
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_ERR, ctx.log(), 0, "gibbon: no answer can be made: %s", e.what());
  }
}

ngx_int_t run_waiting_phase(Context& ctx, Phase phase) {
  const WaitingPhase& what = description(phase);
  if (ctx.wait.task) {
    if (!ctx.wait.task.done()) return NGX_AGAIN;
    end_waiting_for(ctx, phase);
    end_wait(ctx);
  }
  ctx.now = phase;
  std::uint32_t& next = ctx.*what.next;
  const gateway::Chain* chain = nullptr;
  const ChainItem *item = nullptr, *end = nullptr;
  while (ctx.answer.status == 0) {
    if (chain != &ctx.chain()) {  // A handler has learned who asks: from here on another chain.
      chain = &ctx.chain();
      const auto items = (chain->*what.items)();
      item = items.data(), end = item + items.size();
      while (item != end && item->ordinal < next) ++item;
    }
    if (item == end) break;
    const auto reads_body = phase == Phase::kAccess ? item->plugin->reads_body : nullptr;
    if (reads_body != nullptr && has_unread_body(ctx.r)) {
      bool wanted = false;
      guard(ctx, *item, [&] { wanted = reads_body(ctx.exchange.request(), item->config); });
      if (wanted) return read_request_body(ctx);
      if (ctx.answer.status != 0) break;  // It threw, and its plugin fails closed.
    }
    next = item->ordinal + 1;
    run_handler(ctx, *item, what);
    if (ctx.wait.task) {
      begin_to_wait_for(ctx, phase);
      return NGX_AGAIN;
    }
    ++item;
  }
  return NGX_OK;
}

void stop_waiting(Context& ctx) noexcept {
  if (ctx.wait.limit.timer_set) ngx_del_timer(&ctx.wait.limit);
  const ChainItem* const running = std::exchange(ctx.current, std::exchange(ctx.wait.item, nullptr));
  {
    const Task<> ended = std::move(ctx.wait.task);  // Destroyed once the context knows of it no more.
  }
  ctx.current = running;
}

void Context::resume(std::coroutine_handle<> waiting) noexcept {
  current = wait.item;
  waiting.resume();
  current = nullptr;
  if (wait.task.done()) go_on_later(*this);
}

}  // namespace gibbon::nginx
