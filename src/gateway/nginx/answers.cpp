#include "gateway/nginx/answers.hpp"

#include <charconv>
#include <string>

#include "gateway/answer/error_body.hpp"
#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/conf.hpp"

namespace gibbon::nginx {
namespace {

using gateway::MediaType;

ngx_str_t number_in_pool(ngx_pool_t* pool, std::int64_t n) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, n);
  return copy_to_pool(pool, {digits, static_cast<std::size_t>(end.ptr - digits)});
}

bool is_grpc(std::string_view type) { return type.starts_with("application/grpc"); }

/// A client that speaks gRPC, and can be answered in it.
bool speaks_grpc(const ngx_http_request_t* r) {
  return r->http_version >= NGX_HTTP_VERSION_20 && r->headers_in.content_type != nullptr &&
         is_grpc(view(r->headers_in.content_type->value));
}

/// All of the client's Accept headers: they are one list.
std::string accepted(Context& ctx) {
  std::string list;
  each_client_header(ctx, [&](std::string_view name, std::string_view value) {
    if (equals_ignoring_case(name, "accept")) list.append(list.empty() ? "" : ",").append(value);
  });
  return list;
}

LocalAnswer grpc_answer(Context& ctx, int status, std::string_view message) {
  const int grpc_status = gateway::grpc_status_of(status);
  ngx_pool_t* pool = ctx.r->pool;
  add_answer_header(ctx.r, str("grpc-status"), number_in_pool(pool, grpc_status));
  add_answer_header(ctx.r, str("grpc-message"),
                    copy_to_pool(pool, message.empty() ? gateway::grpc_message_of(grpc_status) : message));
  LocalAnswer answer;
  answer.status = status;
  return answer;
}

LocalAnswer templated(Context& ctx, int status, MediaType type, std::string_view message) {
  LocalAnswer answer;
  answer.status = status;
  answer.body = copy_to_pool(ctx.r->pool, main_conf(ctx.r)->error_templates.render(type, message, ctx.request_id()));
  answer.content_type = str(gateway::content_type_of(type));
  return answer;
}

/// Whether the client sends its body only once it is told to go on (Expect: 100-continue), and was told nothing yet.
bool waits_for_word(const ngx_http_request_t* r) {
  const ngx_table_elt_t* expect = r->headers_in.expect;
  return expect != nullptr && !r->expect_tested && r->request_body == nullptr && r->http_version == NGX_HTTP_VERSION_11 &&
         (r->headers_in.content_length_n > 0 || r->headers_in.chunked) &&
         equals_ignoring_case(view(expect->value), "100-continue");
}

}  // namespace

LocalAnswer message_answer(Context& ctx, int status, std::string_view message) {
  if (speaks_grpc(ctx.r)) {
    LocalAnswer answer = grpc_answer(ctx, status, {});
    answer.content_type = str("application/grpc");
    return answer;
  }
  return templated(ctx, status, gateway::preferred_type(accepted(ctx)), message);
}

LocalAnswer error_page_answer(Context& ctx, int status, std::string_view message) {
  const Request& request = ctx.exchange.request();
  std::string_view wanted = request.header("accept");
  if (wanted.empty()) wanted = request.header("content-type");
  if (wanted.empty()) wanted = main_conf(ctx.r)->error_default_type;
  if (!is_grpc(wanted)) return templated(ctx, status, gateway::preferred_type(wanted), message);
  if (speaks_grpc(ctx.r)) return grpc_answer(ctx, status, message);
  LocalAnswer answer;
  answer.status = status;
  answer.body = copy_to_pool(ctx.r->pool, "{\"message\":\"" + std::string(message) + "\"}");
  answer.content_type = str(gateway::content_type_of(MediaType::kJson));
  return answer;
}

void answer_without_body(Context& ctx, int status) {
  ngx_http_request_t* r = ctx.r;
  ctx.answer.status = status;
  ctx.held.why = HeldResponse::Why::kDropped;
  r->headers_out.status = static_cast<ngx_uint_t>(status);
  r->headers_out.status_line = {0, nullptr};
  r->headers_out.content_type = {0, nullptr};
  r->headers_out.content_type_len = 0;
  ngx_http_clear_content_length(r);
  r->headers_out.content_length_n = 0;
}

ngx_int_t send_answer(Context& ctx) {
  ngx_http_request_t* r = ctx.r;
  // What lies in the buffer already is all of the body that will ever be seen.
  if (r->request_body == nullptr && r->headers_in.content_length_n > 0 && ctx.request_body.room() > 0) {
    const auto there = static_cast<std::size_t>(r->header_in->last - r->header_in->pos);
    const auto n = std::min<std::size_t>(there, static_cast<std::size_t>(r->headers_in.content_length_n));
    ctx.request_body.append({reinterpret_cast<char*>(r->header_in->pos), n}, ctx.arena());
  }
  if (waits_for_word(r)) {  // It gets this answer instead, and may keep its body: nobody knows where it would end.
    r->expect_tested = 1;
    r->keepalive = 0;
    r->lingering_close = 1;
  } else if (ngx_http_discard_request_body(r) != NGX_OK) {
    r->keepalive = 0;
  }

  ngx_http_clear_content_length(r);
  r->headers_out.status = static_cast<ngx_uint_t>(ctx.answer.status);
  if (ctx.answer.content_type.len > 0) {  // Without one, the type that a plugin set stands.
    r->headers_out.content_type = ctx.answer.content_type;
    r->headers_out.content_type_len = ctx.answer.content_type.len;
    r->headers_out.charset.len = 0;
  }
  r->headers_out.content_length_n = static_cast<off_t>(ctx.answer.body.len);
  // As one of the list, so that it stands where Kong's does.
  r->headers_out.content_length =
      add_answer_header(r, str("Content-Length"), number_in_pool(r->pool, static_cast<std::int64_t>(ctx.answer.body.len)));
  const ngx_int_t rc = ngx_http_send_header(r);
  if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) return rc;

  auto* b = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  if (b == nullptr) return NGX_ERROR;
  b->pos = b->start = ctx.answer.body.data;
  b->last = b->end = ctx.answer.body.data + ctx.answer.body.len;
  b->memory = ctx.answer.body.len > 0;
  b->last_buf = 1;
  b->last_in_chain = 1;
  ngx_chain_t out{b, nullptr};
  return ngx_http_output_filter(r, &out);
}

ngx_table_elt_t* add_answer_header(ngx_http_request_t* r, ngx_str_t key, ngx_str_t value) {
  auto* h = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
  if (h == nullptr) return nullptr;
  h->hash = key.data != nullptr && value.data != nullptr ? 1 : 0;
  h->key = key;
  h->value = value;
  h->lowcase_key = nullptr;
  return h->hash != 0 ? h : nullptr;
}

}  // namespace gibbon::nginx
