#pragma once

#include "gateway/nginx/kit/operations.hpp"

namespace gibbon::nginx {

/// A request over HTTP/1.1, on a kept connection where there is one: Async::http(). Throws WaitError.
Task<HttpResponse> fetch(Caller& caller, HttpRequest request);

}  // namespace gibbon::nginx
