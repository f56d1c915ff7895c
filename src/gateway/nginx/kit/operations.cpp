#include "gateway/nginx/kit/operations.hpp"

#include "gateway/nginx/kit/deadline.hpp"

namespace gibbon::nginx {

using Endpoints = std::vector<gateway::HostAnswer::Endpoint>;

NameOperation::NameOperation(Caller& caller, std::shared_ptr<Name> name, std::string text, std::chrono::milliseconds timeout)
    : caller_(caller), name_(std::move(name)), text_(std::move(text)), timeout_(timeout) {
  for (ngx_event_t* event : {&timer_, &end_}) {
    event->data = this;
    event->log = ngx_cycle->log;
  }
  timer_.cancelable = 1;
  timer_.handler = [](ngx_event_t* event) {
    auto& self = *static_cast<NameOperation*>(event->data);
    self.timed_out_ = true;
    self.finish();
  };
  end_.handler = [](ngx_event_t* event) {
    auto& self = *static_cast<NameOperation*>(event->data);
    self.name_->unlisten(&self);
    self.caller_.resume(self.waiting_);
  };
}

NameOperation::~NameOperation() {
  name_->unlisten(this);
  if (timer_.timer_set) ngx_del_timer(&timer_);
  if (end_.posted) {
    ngx_delete_posted_event(&end_);
  }
}

void NameOperation::start(std::coroutine_handle<> waiting) {
  waiting_ = waiting;
  ngx_add_timer(&timer_, to_msec(timeout_));
  name_->listen(this);
  name_->refresh(ngx_time());
  if (!name_->asking() || !name_->answer().endpoints.empty()) finish();
}

void NameOperation::name_answered(Name&) { finish(); }

void NameOperation::finish() {
  if (timer_.timer_set) ngx_del_timer(&timer_);
  if (!end_.posted) {
    ngx_post_event(&end_, &ngx_posted_events);
  }
}

Endpoints NameOperation::take() {
  const gateway::HostAnswer& answer = name_->answer();
  if (!answer.endpoints.empty()) return answer.endpoints;
  if (timed_out_)
    throw WaitError(WaitError::Kind::kTimeout,
                    "resolving " + text_ + ": timeout after " + std::to_string(timeout_.count()) + " ms");
  throw WaitError(WaitError::Kind::kName, text_ + " could not be resolved: " + answer.error);
}

}  // namespace gibbon::nginx
