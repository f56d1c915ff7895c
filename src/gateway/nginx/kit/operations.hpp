#pragma once

#include <functional>
#include <memory>

#include "gateway/balancer/hosts.hpp"
#include "gateway/nginx/kit/caller.hpp"
#include "gateway/nginx/names.hpp"
#include "gateway/nginx/stream.hpp"

/// What the gateway's own coroutines wait for. The caller must outlive each operation. Event thread.
namespace gibbon::nginx {

/// One operation of a stream; its destruction ends it, and closes the stream.
template <typename T>
class StreamOperation final : public Operation<T> {
 public:
  using Begin = std::function<void(Stream&, Stream::Done)>;
  StreamOperation(Caller& caller, std::shared_ptr<Stream> stream, Begin begin)
      : caller_(caller), stream_(std::move(stream)), begin_(std::move(begin)) {}
  ~StreamOperation() override {
    if (running_) stream_->stop();
  }
  void start(std::coroutine_handle<> waiting) override {
    begin_(*stream_, [this, waiting] {
      running_ = false;
      caller_.resume(waiting);
    });
    running_ = true;
  }
  T take() override {
    if (const auto& failure = stream_->failure()) throw WaitError(failure->kind, failure->what);
    if constexpr (!std::is_void_v<T>) return std::move(stream_->received());
  }

 private:
  Caller& caller_;
  std::shared_ptr<Stream> stream_;
  Begin begin_;
  bool running_ = false;
};

/// Waits for the current event's end alone.
class NextTurn final : public Operation<void> {
 public:
  explicit NextTurn(Caller& caller) : caller_(caller) {}
  ~NextTurn() override {
    if (event_.posted) {
      ngx_delete_posted_event(&event_);
    }
  }
  void start(std::coroutine_handle<> waiting) override {
    waiting_ = waiting;
    event_.data = this;
    event_.log = caller_.log();
    event_.handler = [](ngx_event_t* event) {
      auto& self = *static_cast<NextTurn*>(event->data);
      self.caller_.resume(self.waiting_);
    };
    ngx_post_event(&event_, &ngx_posted_events);
  }
  void take() override {}

 private:
  Caller& caller_;
  std::coroutine_handle<> waiting_;
  ngx_event_t event_{};
};

/// The addresses of a name, by the worker's names; an answer that is known already is used at once.
class NameOperation final : public Operation<std::vector<gateway::HostAnswer::Endpoint>>, NameListener {
 public:
  /// Throws where the worker has no names.
  NameOperation(Caller& caller, std::shared_ptr<Name> name, std::string text, std::chrono::milliseconds timeout);
  ~NameOperation() override;
  void start(std::coroutine_handle<> waiting) override;
  std::vector<gateway::HostAnswer::Endpoint> take() override;

 private:
  void name_answered(Name& name) override;
  void finish();

  Caller& caller_;
  std::shared_ptr<Name> name_;
  std::string text_;
  std::chrono::milliseconds timeout_;
  std::coroutine_handle<> waiting_;
  ngx_event_t timer_{}, end_{};
  bool timed_out_ = false;
};

/// A coroutine of the gateway's own as an operation. It must begin with `co_await NextTurn`: nothing may be over before
/// start() has returned.
template <typename T>
class TaskOperation final : public Operation<T> {
 public:
  explicit TaskOperation(Task<T> task) : task_(std::move(task)) {}
  void start(std::coroutine_handle<> waiting) override { task_.await_suspend(waiting).resume(); }
  T take() override { return task_.await_resume(); }

 private:
  Task<T> task_;
};

inline Wait<void> next_turn(Caller& caller) { return Wait<void>(std::make_unique<NextTurn>(caller)); }

template <typename T>
Wait<T> wait_for_task(Task<T> task) {
  return Wait<T>(std::make_unique<TaskOperation<T>>(std::move(task)));
}

}  // namespace gibbon::nginx
