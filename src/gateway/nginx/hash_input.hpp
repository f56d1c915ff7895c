#pragma once

#include <cstdint>
#include <optional>

#include "gateway/nginx/context.hpp"

namespace gibbon::nginx {

/// The hash of what `upstream` hashes requests on: hash_on, or hash_fallback where the request has none of
/// it. Nothing where it has neither. A cookie that is missing is made: ctx.hash_cookie then says what to set
/// on the answer.
std::optional<std::uint64_t> hash_of_request(Context& ctx, const config::Upstream& upstream);

/// The groups of the route's regular path, the whole first; none where it has no groups. Found at the first call.
std::span<const UriCapture> uri_captures(Context& ctx);

/// Header filter: sets ctx.hash_cookie on the answer, in place of one of its name that the upstream sets.
void set_hash_cookie(Context& ctx);

}  // namespace gibbon::nginx
