#pragma once

#include <string_view>

#include "gateway/nginx/ngx.hpp"

// The request's body: as the client sent it, and as the upstream gets it. Views live until the request ends.
namespace gibbon::nginx {

class Context;

/// The whole body on its way to the upstream, where access has read it (see PluginDescriptor::reads_body) and it lies in
/// memory; empty otherwise.
std::string_view request_body(Context& ctx);
/// The same as the client sent it.
std::string_view client_request_body(Context& ctx);
/// Their sizes, wherever they lie; 0 where the body was not read.
std::uint64_t request_body_size(const Context& ctx);
std::uint64_t client_request_body_size(const Context& ctx);

/// The request has a body that nobody has read so far.
bool has_unread_body(const ngx_http_request_t* r);

/// The upstream gets `bytes`, which are copied; the client's own is kept for the record. Throws std::bad_alloc.
void replace_request_body(Context& ctx, std::string_view bytes);

/// A body that was read before anybody asked for its beginning: captures it now, but for what is hidden.
void capture_read_body(Context& ctx);

/// Reads the whole body and runs the phases again. The result is for nginx.
ngx_int_t read_request_body(Context& ctx);

}  // namespace gibbon::nginx
