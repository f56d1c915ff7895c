#include "gateway/nginx/kit/exchange.hpp"

#include <new>

#include "gateway/nginx/answers.hpp"
#include "gateway/nginx/context.hpp"
#include "gateway/nginx/kit/async.hpp"

namespace gibbon::nginx {

ExchangeAdapter::ExchangeAdapter(Context& ctx)
    : request_(ctx), service_request_(ctx), service_(ctx), service_response_(ctx), response_(ctx), router_(ctx),
      client_(ctx), entities_(ctx), kept_(ctx), node_(ctx), log_(ctx), ctx_(ctx) {}

Phase ExchangeAdapter::phase() const { return ctx_.phase(); }

/// Throws where an answer cannot be given.
void ExchangeAdapter::begin_answer(const char* function, bool has_body) {
  if (has_body) {
    ctx_.require(function, {Phase::kRewrite, Phase::kAccess, Phase::kResponse});
  } else {
    ctx_.require(function, {Phase::kRewrite, Phase::kAccess, Phase::kResponse, Phase::kHeaderFilter});
  }
  if (ctx_.answer.status != 0)
    throw std::logic_error(std::string(function) + "() was called for a request that is answered already");
}

void ExchangeAdapter::error(int status, std::string_view message) {
  begin_answer("error", true);
  ctx_.answer = message_answer(ctx_, status, message);
  ctx_.answer.by_exit = true;
}

void ExchangeAdapter::exit(int status, std::string_view body, std::string_view content_type) {
  begin_answer("exit", !body.empty());
  if (ctx_.phase() == Phase::kHeaderFilter) {
    answer_without_body(ctx_, status);
  } else {
    ctx_.answer.status = status;
    ctx_.answer.body = copy_to_pool(ctx_.r->pool, body);
    if (!body.empty() || !content_type.empty())
      ctx_.answer.content_type =
          copy_to_pool(ctx_.r->pool, content_type.empty() ? "application/json; charset=utf-8" : content_type);
  }
  ctx_.answer.by_exit = true;
}

PluginScope ExchangeAdapter::scope() const {
  ctx_.require("scope", kEveryRequestPhase);
  if (ctx_.current == nullptr) throw std::logic_error("scope() was called outside of a handler");
  const config::Plugin& entity = *ctx_.current->entity;
  return {entity.id, entity.service_id, entity.route_id, entity.consumer_id};
}

Timings ExchangeAdapter::timings() const {
  ctx_.require("timings", {Phase::kLog});
  return timings_of(ctx_);
}

void ExchangeAdapter::record(const RecordLimits& limits) {
  ctx_.require("record", {Phase::kLog});
  if (ctx_.current != nullptr) record_exchange(ctx_, *ctx_.current, limits);
}

void ExchangeAdapter::set_serialize_value(std::string_view path, std::string_view json) {
  ctx_.require("set_serialize_value", kEveryRequestPhase);
  void* memory = ngx_palloc(ctx_.r->pool, sizeof(SetValue));
  const ngx_str_t path_copy = copy_to_pool(ctx_.r->pool, path), json_copy = copy_to_pool(ctx_.r->pool, json);
  if (memory == nullptr || (path_copy.data == nullptr && !path.empty()) || (json_copy.data == nullptr && !json.empty()))
    return;
  auto* value = new (memory) SetValue{view(path_copy), view(json_copy)};
  (ctx_.last_value != nullptr ? ctx_.last_value->next : ctx_.first_value) = value;
  ctx_.last_value = value;
}

void ExchangeAdapter::enqueue(std::string_view entry) {
  ctx_.require("enqueue", kEveryRequestPhase);
  if (ctx_.current != nullptr) record_entry(ctx_, *ctx_.current, entry);
}

Wait<void> ExchangeAdapter::sleep(std::chrono::milliseconds time) { return make_sleep(ctx_, time); }
Wait<HttpResponse> ExchangeAdapter::http(HttpRequest request) { return make_http(ctx_, std::move(request)); }
Wait<std::vector<std::string>> ExchangeAdapter::resolve(std::string name) { return make_resolve(ctx_, std::move(name)); }
Wait<std::unique_ptr<Socket>> ExchangeAdapter::connect(ConnectOptions options) {
  return make_connect(ctx_, std::move(options));
}

}  // namespace gibbon::nginx
