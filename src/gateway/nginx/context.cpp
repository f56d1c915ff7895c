#include "gateway/nginx/context.hpp"

#include <new>

#include "gateway/nginx/answers.hpp"
#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/conf.hpp"
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
  if (waits_for != nullptr) waits_for->stop_waiting(*this);
  if (tries != nullptr) tries->~Tries();
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

void report_exception(Context& ctx, const char* phase, const char* what) noexcept {
  const PluginDescriptor* plugin = ctx.current->plugin;
  ngx_log_error(NGX_LOG_ERR, ctx.r->connection->log, 0, "[%s] exception in %s: %s", plugin->name, phase, what);
  if (plugin->failure_policy == FailurePolicy::kClosed && !ctx.headers_filtered && ctx.answer.status == 0) {
    ctx.answer = message_answer(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR, "An unexpected error occurred");
  }
}

// ---- The plugin kit's views ------------------------------------------------------------------------------------

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

/// The value goes to the pool, so that it lives as long as the exchange.
Parameter in_pool(Context& ctx, const gateway::Found& found) {
  if (found.kind != Parameter::Kind::kText) return {found.kind, {}};
  return {found.kind, view(copy_to_pool(ctx.r->pool, found.text))};
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

int ResponseAdapter::status() const { return answered_status(ctx_.r); }

std::string_view ResponseAdapter::header(std::string_view name) const {
  std::string_view found;
  bool seen = false;
  each_answer_header(ctx_, [&](std::string_view n, std::string_view v) {
    if (!seen && equals_ignoring_case(n, name)) found = v, seen = true;
  });
  return found;
}

void ResponseAdapter::each_header(HeaderVisitor visit) const { each_answer_header(ctx_, visit); }

void ResponseAdapter::set_header(std::string_view name, std::string_view value) {
  nginx::each_header(ctx_.r->headers_out.headers, [&](ngx_table_elt_t& h) {
    if (h.hash != 0 && equals_ignoring_case(view(h.key), name)) h.hash = 0;
  });
  add_answer_header(ctx_.r, copy_to_pool(ctx_.r->pool, name), copy_to_pool(ctx_.r->pool, value));
}

void ResponseAdapter::capture_body(std::size_t limit_bytes) { ctx_.response_body.want(limit_bytes); }

bool ExchangeAdapter::can_answer() {
  if (!ctx_.access_done && !ctx_.headers_filtered) return true;
  log_error("an answer was given in a phase that cannot answer: only rewrite and access can");
  return false;
}

void ExchangeAdapter::error(int status, std::string_view message) {
  if (can_answer()) ctx_.answer = message_answer(ctx_, status, message);
}

void ExchangeAdapter::exit(int status, std::string_view body, std::string_view content_type) {
  if (!can_answer()) return;
  ctx_.answer.status = status;
  ctx_.answer.body = copy_to_pool(ctx_.r->pool, body);
  ctx_.answer.content_type =
      copy_to_pool(ctx_.r->pool, content_type.empty() ? "application/json; charset=utf-8" : content_type);
}

void ExchangeAdapter::record(const RecordLimits& limits) {
  if (ctx_.current != nullptr) record_exchange(ctx_, *ctx_.current, limits);
}

void ExchangeAdapter::log_error(std::string_view message) {
  const ngx_str_t text = str(message);
  const char* name = ctx_.current != nullptr ? ctx_.current->plugin->name : "gibbon";
  ngx_log_error(NGX_LOG_ERR, ctx_.r->connection->log, 0, "[%s] %V", name, &text);
}

}  // namespace gibbon::nginx
