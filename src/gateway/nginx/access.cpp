#include "gateway/nginx/access.hpp"

#include "gateway/nginx/service_request.hpp"

namespace gibbon::nginx {
namespace {

/// The chain may be another one after each handler: what is left is known by the plugins' order.
const gateway::ChainItem* next_item(const Context& ctx) {
  for (const gateway::ChainItem& item : ctx.chain().access())
    if (item.ordinal >= ctx.next_access) return &item;
  return nullptr;
}

bool has_unread_body(const ngx_http_request_t* r) {
  return r->request_body == nullptr && (r->headers_in.content_length_n > 0 || r->headers_in.chunked);
}

}  // namespace

ngx_int_t run_access_plugins(Context& ctx) {
  while (const gateway::ChainItem* item = next_item(ctx)) {
    const auto* plugin = item->plugin;
    if (plugin->reads_body != nullptr && has_unread_body(ctx.r) && plugin->reads_body(item->config))
      return read_request_body(ctx);
    ctx.next_access = item->ordinal + 1;
    run_phase(ctx, {item, 1}, "access",
              [&](const gateway::ChainItem& running) { plugin->access(ctx.exchange, running.config); });
    if (ctx.answer.status != 0) break;
  }
  return NGX_OK;
}

}  // namespace gibbon::nginx
