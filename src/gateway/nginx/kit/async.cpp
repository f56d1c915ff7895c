#include "gateway/nginx/kit/async.hpp"

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
    timer_.handler = [](ngx_event_t* event) {
      auto& self = *static_cast<Sleep*>(event->data);
      self.caller_.resume(self.waiting_);
    };
    ngx_add_timer(&timer_, static_cast<ngx_msec_t>(std::max<std::int64_t>(0, time_.count())));
  }
  void take() override {}

 private:
  Caller& caller_;
  std::chrono::milliseconds time_;
  std::coroutine_handle<> waiting_;
  ngx_event_t timer_{};
};

[[noreturn]] void not_yet() { throw std::logic_error("this gateway cannot wait for that"); }

}  // namespace

Wait<void> make_sleep(Caller& caller, std::chrono::milliseconds time) {
  caller.require("sleep", kWaitingPhases);
  return Wait<void>(std::make_unique<Sleep>(caller, time));
}
Wait<HttpResponse> make_http(Caller& caller, HttpRequest) {
  caller.require("http", kWaitingPhases);
  not_yet();
}
Wait<std::vector<std::string>> make_resolve(Caller& caller, std::string) {
  caller.require("resolve", kWaitingPhases);
  not_yet();
}
Wait<std::unique_ptr<Socket>> make_connect(Caller& caller, ConnectOptions) {
  caller.require("connect", kWaitingPhases);
  not_yet();
}

}  // namespace gibbon::nginx
