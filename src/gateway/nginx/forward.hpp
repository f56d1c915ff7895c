#pragma once

#include "gateway/nginx/context.hpp"

// What goes to the upstream: its request target and the headers that the gateway adds.
namespace gibbon::nginx {

/// Renders ctx.upstream_uri and, with ctx.upstream_host set, ctx.upstream_headers, and takes away what must not be forwarded
/// (headers that Connection names). False without memory.
/// `path` is the request's, normalised; `matched_length` as in gateway::Match.
bool prepare_target(Context& ctx, std::string_view path, std::size_t matched_length);
bool prepare_headers(Context& ctx);

/// While nginx renders the request for the upstream, its request has the upstream's method and target. Everything else
/// sees the client's.
void lend_request_line(Context& ctx);
void take_back_request_line(Context& ctx);

/// $gibbon_upstream_* and $gibbon_forwarded_*: see variables.cpp for what each one is for.
ngx_int_t add_variables(ngx_conf_t* cf);

/// Our entry of Via, for a message that arrived in this version of HTTP: "1.1 kong/3.9.3", "1 kong/3.9.3".
enum class ViaVersion : std::uint8_t { kHttp11, kHttp10, kHttp2, kHttp09 };
std::string_view via_token(ViaVersion version);

/// A list header with one more entry, in the request's pool.
std::string_view appended(Context& ctx, std::string_view list, std::string_view entry);
/// True where a comma-separated list holds `token`, whatever its case.
bool list_has(std::string_view list, std::string_view token);

/// The scheme and the host that the client used, by its own word where the configuration trusts it.
std::string_view forwarded_scheme(Context& ctx);
std::string_view forwarded_host(Context& ctx);
/// The first value of a header, where the client is trusted to say such things of itself; otherwise `own`.
std::string_view trusted_header(Context& ctx, std::string_view header, std::string_view own);
/// The address of the connection's other end, before the real-ip module replaced it.
std::string_view connection_address(ngx_http_request_t* r);
bool is_trusted(const ngx_http_request_t* r);

}  // namespace gibbon::nginx
