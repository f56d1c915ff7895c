#pragma once

#include "gateway/nginx/context.hpp"

// What goes to the upstream: its request target and the headers that the gateway adds.
namespace gibbon::nginx {

/// Renders ctx.upstream_uri and, with ctx.upstream_host set, ctx.upstream_headers, and takes away what must not be forwarded
/// (headers that Connection names). False without memory.
/// `path` is the request's, normalised; `matched_length` as in gateway::Match.
bool prepare_target(Context& ctx, std::string_view path, std::size_t matched_length);
bool prepare_headers(Context& ctx);

/// $gibbon_upstream_* and $gibbon_forwarded_*: see variables.cpp for what each one is for.
ngx_int_t add_variables(ngx_conf_t* cf);

/// X-Forwarded-Proto of a client that the configuration trusts; empty otherwise.
std::string_view trusted_forwarded_scheme(Context& ctx);
bool is_trusted(const ngx_http_request_t* r);

}  // namespace gibbon::nginx
