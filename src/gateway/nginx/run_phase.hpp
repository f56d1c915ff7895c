#pragma once

#include <span>

#include "gateway/nginx/context.hpp"

// How handlers run: one after the other, each held by its plugin's failure policy, and some of them as coroutines.
namespace gibbon::nginx {

/// What a handler has thrown: a line in the error log and, for plugins that fail closed, a 500. Not for a request
/// that is answered already.
void report_exception(Context& ctx, const char* what) noexcept;

/// Calls a handler of `item`; what it throws costs its plugin's failure policy, not the worker.
template <typename Call>
void guard(Context& ctx, const gateway::ChainItem& item, Call call) noexcept {
  ctx.current = &item;
  try {
    call();
  } catch (const std::exception& e) {
    report_exception(ctx, e.what());
  } catch (...) {
    report_exception(ctx, "it threw something that is no std::exception");
  }
  ctx.current = nullptr;
}

/// Runs a phase whose handlers cannot wait: `call(item)` for each.
template <typename Call>
void run_phase(Context& ctx, Phase phase, std::span<const gateway::ChainItem> items, Call call) noexcept {
  ctx.now = phase;
  for (const gateway::ChainItem& item : items) guard(ctx, item, [&] { call(item); });
}

/// Goes on with a phase whose handlers may wait: rewrite, access or response. NGX_OK: it is over, since all have run or
/// one has answered. NGX_AGAIN: one waits; the write event handler runs once it has not to wait any more. Another
/// value: what reading the request's body has given, for nginx.
ngx_int_t run_waiting_phase(Context& ctx, Phase phase);

/// Destroys what the request waits for.
void stop_waiting(Context& ctx) noexcept;

}  // namespace gibbon::nginx
