#include "gateway/nginx/kit/async.hpp"

#include "gateway/nginx/kit/deadline.hpp"
#include "gateway/nginx/kit/http.hpp"
#include "gateway/nginx/kit/socket.hpp"

namespace gibbon::nginx {
namespace {

class Sleep final : public Operation<void> {
 public:
  Sleep(Caller& caller, std::chrono::milliseconds time) : caller_(caller), time_(time) {}
  ~Sleep() override {
    if (timer_.timer_set) ngx_del_timer(&timer_);
  }
  void start(std::coroutine_handle<> waiting) override {
    waiting_ = waiting;
    timer_.data = this;
    timer_.log = caller_.log();
    timer_.cancelable = 1;  // What holds a worker that shuts down is the request, by its own limit.
    timer_.handler = [](ngx_event_t* event) {
      auto& self = *static_cast<Sleep*>(event->data);
      self.caller_.resume(self.waiting_);
    };
    ngx_add_timer(&timer_, to_msec(time_));
  }
  void take() override {}

 private:
  Caller& caller_;
  std::chrono::milliseconds time_;
  std::coroutine_handle<> waiting_;
  ngx_event_t timer_{};
};

/// How long names are asked for where nobody says, in milliseconds; the resolver's own limit is shorter as a rule.
constexpr std::chrono::milliseconds kResolveTimeout{60000};

Task<std::vector<std::string>> resolve(Caller& caller, std::string name) {
  co_await next_turn(caller);
  const auto endpoints = co_await resolve_host(caller, std::move(name), kResolveTimeout);
  std::vector<std::string> addresses;
  for (const auto& endpoint : endpoints) addresses.push_back(endpoint.address.text());
  co_return addresses;
}

}  // namespace

Wait<void> make_sleep(Caller& caller, std::chrono::milliseconds time) {
  caller.require("sleep", kWaitingPhases);
  return Wait<void>(std::make_unique<Sleep>(caller, time));
}
Wait<HttpResponse> make_http(Caller& caller, HttpRequest request) {
  caller.require("http", kWaitingPhases);
  return wait_for_task(fetch(caller, std::move(request)));
}
Wait<std::vector<std::string>> make_resolve(Caller& caller, std::string name) {
  caller.require("resolve", kWaitingPhases);
  return wait_for_task(resolve(caller, std::move(name)));
}
Wait<std::unique_ptr<Socket>> make_connect(Caller& caller, ConnectOptions options) {
  caller.require("connect", kWaitingPhases);
  return wait_for_task(connect_socket(caller, std::move(options), Reuse::kKept));
}

}  // namespace gibbon::nginx
