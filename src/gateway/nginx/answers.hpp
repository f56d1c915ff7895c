#pragma once

#include <string_view>

#include "gateway/nginx/context.hpp"

// Answers that the gateway gives itself, in Kong's form.
namespace gibbon::nginx {

/// An answer of a phase: `message` with the request's id, as JSON, HTML, XML or plain text, whichever the client's
/// Accept headers prefer. A gRPC client gets a gRPC status instead.
LocalAnswer message_answer(Context& ctx, int status, std::string_view message);

/// The same for what nginx or the upstream refused. A client without Accept is judged by its Content-Type, then by
/// the setting error_default_type.
LocalAnswer error_page_answer(Context& ctx, int status, std::string_view message);

/// Header filter: the answer that is about to be sent becomes one of this status without a body.
void answer_without_body(Context& ctx, int status);

/// Sends ctx.answer and ends the request. The result is for ngx_http_finalize_request.
ngx_int_t send_answer(Context& ctx);

/// Adds a header to the answer. Key and value must outlive the request (constants, or the request's pool). Null where
/// there is no memory for it.
ngx_table_elt_t* add_answer_header(ngx_http_request_t* r, ngx_str_t key, ngx_str_t value);

}  // namespace gibbon::nginx
