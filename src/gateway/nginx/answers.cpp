#include "gateway/nginx/answers.hpp"

#include <cmath>
#include <cstdlib>
#include <string>

#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/conf.hpp"

namespace gibbon::nginx {
namespace {

enum class Format { kJson, kHtml, kXml, kPlain, kGrpc };

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

Format format_of(std::string_view media_type) {
  if (media_type == "text/html") return Format::kHtml;
  if (media_type == "application/xml") return Format::kXml;
  if (media_type == "text/plain") return Format::kPlain;
  if (media_type == "application/grpc") return Format::kGrpc;
  return Format::kJson;
}

/// The format of the entry with the highest quality; the first one wins a tie.
Format preferred(std::string_view accept) {
  Format best = Format::kJson;
  double best_quality = 0;
  while (!accept.empty()) {
    const std::size_t comma = std::min(accept.find(','), accept.size());
    std::string_view entry = accept.substr(0, comma);
    accept.remove_prefix(std::min(comma + 1, accept.size()));
    const std::size_t semicolon = std::min(entry.find(';'), entry.size());
    double quality = 1;
    if (const std::size_t q = entry.find("q=", semicolon); q != std::string_view::npos) {
      quality = std::strtod(std::string(entry.substr(q + 2)).c_str(), nullptr);
    }
    if (quality > best_quality) {
      best_quality = quality;
      best = format_of(trim(entry.substr(0, semicolon)));
    }
  }
  return best;
}

Format choose_format(Context& ctx) {
  std::string_view accept = ctx.exchange.request().header("accept");
  if (accept.empty()) accept = ctx.exchange.request().header("content-type");
  if (accept.empty()) accept = main_conf(ctx.r)->error_default_type;
  return preferred(accept);
}

struct Template {
  std::string_view content_type, before, between, after;
};

const Template& template_of(Format format) {
  static const Template json{"application/json; charset=utf-8", "{\n  \"message\":\"", "\",\n  \"request_id\":\"", "\"\n}"};
  static const Template html{"text/html; charset=utf-8",
                             "<!doctype html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n    <title>Error</title>\n"
                             "  </head>\n  <body>\n    <h1>Error</h1>\n    <p>",
                             ".</p>\n    <p>request_id: ", "</p>\n  </body>\n</html>\n"};
  static const Template xml{"application/xml; charset=utf-8",
                            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>\n  <message>",
                            "</message>\n  <requestid>", "</requestid>\n</error>"};
  static const Template plain{"text/plain; charset=utf-8", "", "\nrequest_id: ", ""};
  switch (format) {
    case Format::kHtml: return html;
    case Format::kXml: return xml;
    case Format::kPlain: return plain;
    default: return json;
  }
}

/// gRPC's status for an HTTP status, as Kong maps them.
std::string_view grpc_status(int status) {
  switch (status) {
    case 400: return "3";
    case 401: return "16";
    case 403: return "7";
    case 404: return "5";
    case 429: return "8";
    case 499: return "1";
    case 501: return "12";
    case 503: return "14";
    case 504: return "4";
    default: return status >= 500 ? "13" : "2";
  }
}

}  // namespace

LocalAnswer message_answer(Context& ctx, int status, std::string_view message) {
  LocalAnswer answer;
  answer.status = status;
  const Format format = choose_format(ctx);
  if (format == Format::kGrpc) {
    answer.content_type = str("application/grpc");
    add_answer_header(ctx.r, str("grpc-status"), str(grpc_status(status)));
    add_answer_header(ctx.r, str("grpc-message"), copy_to_pool(ctx.r->pool, message));
    answer.status = NGX_HTTP_OK;
    return answer;
  }
  const Template& t = template_of(format);
  std::string body;
  body.reserve(t.before.size() + message.size() + t.between.size() + 32 + t.after.size());
  body.append(t.before).append(message).append(t.between).append(ctx.request_id()).append(t.after);
  answer.body = copy_to_pool(ctx.r->pool, body);
  answer.content_type = str(t.content_type);
  return answer;
}

ngx_int_t send_answer(Context& ctx) {
  ngx_http_request_t* r = ctx.r;
  // What lies in the buffer already is all of the body that will ever be seen.
  if (r->request_body == nullptr && r->headers_in.content_length_n > 0 && ctx.request_body.room() > 0) {
    const auto there = static_cast<std::size_t>(r->header_in->last - r->header_in->pos);
    const auto n = std::min<std::size_t>(there, static_cast<std::size_t>(r->headers_in.content_length_n));
    ctx.request_body.append({reinterpret_cast<char*>(r->header_in->pos), n}, ctx.arena());
  }
  if (ngx_http_discard_request_body(r) != NGX_OK) r->keepalive = 0;

  ngx_http_clear_content_length(r);
  r->headers_out.status = static_cast<ngx_uint_t>(ctx.answer.status);
  r->headers_out.content_type = ctx.answer.content_type;
  r->headers_out.content_type_len = ctx.answer.content_type.len;
  r->headers_out.charset.len = 0;
  r->headers_out.content_length_n = static_cast<off_t>(ctx.answer.body.len);
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

void add_answer_header(ngx_http_request_t* r, ngx_str_t key, ngx_str_t value) {
  auto* h = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
  if (h == nullptr || key.data == nullptr || value.data == nullptr) {
    if (h != nullptr) h->hash = 0;
    return;
  }
  h->hash = 1;
  h->key = key;
  h->value = value;
  h->lowcase_key = nullptr;
}

}  // namespace gibbon::nginx
