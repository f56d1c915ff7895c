#pragma once

#include "gateway/nginx/context.hpp"

namespace gibbon::nginx {

/// Finds the addresses of the request's service: an address as it stands, the hosts file, then nginx's resolver
/// with the search domains. NGX_OK: ctx.addresses is set. NGX_AGAIN: the request sleeps and its phases run again.
/// NGX_ERROR: no name has an address. While a resolver is down, the last known addresses serve on.
ngx_int_t resolve(Context& ctx);

}  // namespace gibbon::nginx
