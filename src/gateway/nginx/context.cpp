#include "gateway/nginx/context.hpp"

#include <new>

#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/conf.hpp"
#include "gateway/nginx/kit/header_text.hpp"
#include "gateway/nginx/run_phase.hpp"
#include "gateway/nginx/worker.hpp"
#include "gateway/request/arguments.hpp"
#include "record/secret_headers.hpp"

namespace gibbon::nginx {
namespace {

void destroy_context(void* data) { static_cast<Context*>(data)->~Context(); }

void* allocate_from_pool(void* pool, std::size_t bytes) { return ngx_pnalloc(static_cast<ngx_pool_t*>(pool), bytes); }

/// Sets logged_target where the query holds secrets.
bool hide_arguments(Context& ctx) {
  const auto& names = ctx.runtime->chains().secret_names();
  static auto& target = *new std::string;  // The event thread's own.
  if (!gateway::redact_arguments(view(ctx.client_target), names, target)) return false;
  ctx.logged_target = copy_to_pool(ctx.r->pool, target);
  return ctx.logged_target.data != nullptr;
}

/// nginx's logs show the request line: this one has the target without secrets.
void show_in_logs(Context& ctx) {
  const std::string_view line = view(ctx.r->request_line), target = view(ctx.client_target);
  const std::size_t at = line.find(target);
  if (at == std::string_view::npos) return;
  const std::string_view parts[] = {line.substr(0, at), view(ctx.logged_target), line.substr(at + target.size())};
  auto* text = static_cast<u_char*>(ngx_pnalloc(ctx.r->pool, line.size() + ctx.logged_target.len));
  if (text == nullptr) return;
  u_char* p = text;
  for (const std::string_view part : parts) p = ngx_cpymem(p, part.data(), part.size());
  ctx.r->request_line = {static_cast<std::size_t>(p - text), text};
}

const gateway::Chain& empty_chain() {
  static const auto& chain = *new gateway::Chain({}, {});
  return chain;
}

}  // namespace

Context* Context::find(ngx_http_request_t* r) noexcept {
  auto* ctx = static_cast<Context*>(ngx_http_get_module_ctx(r, ngx_http_gibbon_module));
  if (ctx != nullptr || (!r->internal && !r->filter_finalize)) return ctx;
  // An internal redirect has cleared nginx's table of contexts; the pool still knows ours.
  for (ngx_pool_cleanup_t* c = r->pool->cleanup; c != nullptr; c = c->next) {
    if (c->handler == destroy_context) {
      ctx = static_cast<Context*>(c->data);
      ngx_http_set_ctx(r, ctx, ngx_http_gibbon_module);
      break;
    }
  }
  return ctx;
}

Context* Context::of(ngx_http_request_t* r) noexcept {
  if (Context* ctx = find(r)) return ctx;
  if (worker() == nullptr || !is_ours(r)) return nullptr;
  ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(r->pool, sizeof(Context));
  if (cleanup == nullptr) return nullptr;
  auto* ctx = new (cleanup->data) Context(r, worker()->acquire_runtime());
  cleanup->handler = destroy_context;
  ngx_http_set_ctx(r, ctx, ngx_http_gibbon_module);
  return ctx;
}

Context::Context(ngx_http_request_t* request, gateway::Runtime* pinned)
    : r(request),
      runtime(pinned),
      exchange(*this),
      chain_(pinned != nullptr ? &pinned->global_chain() : &empty_chain()) {
  std::uint8_t id[16];
  worker()->random_bytes(id);
  std::memcpy(request_id_.data(), id, sizeof id);
  char* text = request_id_text_.data();
  for (const std::uint8_t byte : id) {
    *text++ = "0123456789abcdef"[byte >> 4];
    *text++ = "0123456789abcdef"[byte & 15];
  }
  method = request->method_name;
  client_target = request->unparsed_uri;
  if (runtime != nullptr && hide_arguments(*this)) show_in_logs(*this);
  worker()->count_request();
}

Context::~Context() {
  stop_waiting(*this);
  if (waits_for != nullptr) waits_for->stop_waiting(*this);
  if (tries != nullptr) tries->~Tries();
  chosen_target.reset();  // Before the generation that it belongs to.
  if (worker() != nullptr) worker()->release_runtime(runtime);
}

bool Context::is_secret_header(std::string_view name) const {
  if (record::is_secret_header(name)) return true;
  if (runtime == nullptr) return false;
  for (const std::string& secret : runtime->chains().secret_names())
    if (same_header(name, secret)) return true;
  return false;
}

capture::Arena Context::arena() const { return {r->pool, allocate_from_pool}; }

}  // namespace gibbon::nginx
