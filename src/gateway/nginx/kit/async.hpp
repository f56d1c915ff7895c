#pragma once

#include "gateway/nginx/kit/caller.hpp"

/// What coroutines wait for, on nginx's event loop: see include/gibbon/async.hpp. The caller must outlive the operation.
namespace gibbon::nginx {

Wait<void> make_sleep(Caller& caller, std::chrono::milliseconds time);
Wait<HttpResponse> make_http(Caller& caller, HttpRequest request);
Wait<std::vector<std::string>> make_resolve(Caller& caller, std::string name);
Wait<std::unique_ptr<Socket>> make_connect(Caller& caller, ConnectOptions options);

}  // namespace gibbon::nginx
