#pragma once

#include "gateway/nginx/context.hpp"

namespace gibbon::nginx {

/// Runs the access handlers that have not run yet, by falling priority, each with its configuration for the
/// consumer that is known when its turn comes. NGX_OK: none is left, or one has answered; NGX_DONE: the
/// request's body is being read for the next one, and the phase runs again; anything else is an error's
/// status.
ngx_int_t run_access_plugins(Context& ctx);

}  // namespace gibbon::nginx
