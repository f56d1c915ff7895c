#pragma once

#include <string_view>

#include "gateway/nginx/ngx.hpp"

// The names and values of headers that plugins set: what they hold may come from a client.
namespace gibbon::nginx {

/// A copy of a header's name in the pool. Throws std::invalid_argument where it is no token (RFC 9110, 5.6.2), and
/// std::bad_alloc.
ngx_str_t copy_header_name(ngx_pool_t* pool, std::string_view name);

/// A copy of a header's value in the pool, its control characters percent-encoded as OpenResty does: no value can begin
/// another header. Throws std::bad_alloc.
ngx_str_t copy_header_value(ngx_pool_t* pool, std::string_view value);

/// Whether two names of headers are one: in any case, and with '_' for '-'.
bool same_header(std::string_view a, std::string_view b);

}  // namespace gibbon::nginx
