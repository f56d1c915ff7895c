#include "gateway/nginx/kit/response.hpp"

#include "gateway/nginx/answers.hpp"
#include "gateway/nginx/client_view.hpp"

namespace gibbon::nginx {

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

Response::Source ResponseAdapter::source() const {
  if (ctx_.answer.status != 0 && ctx_.answer.by_exit) return Source::kExit;
  return ctx_.proxied ? Source::kService : Source::kError;
}
void ResponseAdapter::set_status(int status) {
  ctx_.require("set_status", {Phase::kResponse, Phase::kHeaderFilter});
  ctx_.r->headers_out.status = static_cast<ngx_uint_t>(status);
  ctx_.r->headers_out.status_line = {0, nullptr};
}
void ResponseAdapter::add_header(std::string_view name, std::string_view value) {
  add_answer_header(ctx_.r, copy_to_pool(ctx_.r->pool, name), copy_to_pool(ctx_.r->pool, value));
}
void ResponseAdapter::clear_header(std::string_view name) {
  nginx::each_header(ctx_.r->headers_out.headers, [&](ngx_table_elt_t& h) {
    if (h.hash != 0 && equals_ignoring_case(view(h.key), name)) h.hash = 0;
  });
}

void ResponseAdapter::hold_body() {
  ctx_.require("hold_body", {Phase::kHeaderFilter});
  if (ctx_.held.why == HeldResponse::Why::kNot) ctx_.held.why = HeldResponse::Why::kOnePiece;
  ngx_http_clear_content_length(ctx_.r);
}

std::string_view ResponseAdapter::body() const {
  ctx_.require("body", {Phase::kResponse});
  return ctx_.held.bytes;
}

void ResponseAdapter::set_body(std::string_view bytes) {
  ctx_.require("set_body", {Phase::kResponse});
  if (ctx_.held.set_by == ctx_.current) throw std::logic_error("set_body() was called before in this phase");
  ctx_.held.set_by = ctx_.current;
  ctx_.held.bytes = bytes;
}

void ResponseAdapter::capture_body(std::size_t limit_bytes) { ctx_.response_body.want(limit_bytes); }

}  // namespace gibbon::nginx
