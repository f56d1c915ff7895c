#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

/// Waiting without blocking. A handler whose method returns a Task is a coroutine: while it waits, the worker serves
/// other requests; when the request ends before, the coroutine is destroyed where it stands, and with it what it
/// waits for.
///
///     static gibbon::Task<> access(gibbon::Exchange& exchange, const Config& config) {
///       gibbon::HttpRequest request{.url = config.url};
///       const gibbon::HttpResponse answer = co_await exchange.http(std::move(request));
///       if (answer.status != 200) exchange.error(403, "You cannot consume this service");
///     }
///
/// What co_await's operand gets is named first: GCC 12 destroys a temporary like http({.url = ...}) twice there.
///
/// Task<T> is also what a coroutine returns that others wait for: `const T x = co_await helper(exchange);`
namespace gibbon {

template <typename T = void>
class Task;

namespace detail {

class PromiseBase {
 public:
  std::suspend_always initial_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { failure_ = std::current_exception(); }
  void resume_when_done(std::coroutine_handle<> waiting) noexcept { waiting_ = waiting; }

  struct ResumeWaiting {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) const noexcept {
      const std::coroutine_handle<> waiting = static_cast<PromiseBase&>(done.promise()).waiting_;
      return waiting ? waiting : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };
  ResumeWaiting final_suspend() noexcept { return {}; }

 protected:
  void rethrow() {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  std::coroutine_handle<> waiting_;
  std::exception_ptr failure_;
};

template <typename T>
class Promise : public PromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  template <typename U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() {
    rethrow();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> : public PromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void take() { rethrow(); }
};

}  // namespace detail

/// A coroutine that has not been started; it starts when it is waited for. Ownership: its frame.
template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  /// None at all: what a handler gives that is no coroutine.
  Task() noexcept = default;
  explicit Task(Handle handle) noexcept : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) noexcept {
    handle_.promise().resume_when_done(waiting);
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

  // For hosts, which have nothing that waits.
  explicit operator bool() const { return static_cast<bool>(handle_); }
  /// Runs it until it waits for the first time, or is done.
  void start() { handle_.resume(); }
  [[nodiscard]] bool done() const { return handle_.done(); }
  /// Of one that is done. Throws what the coroutine threw.
  T result() { return handle_.promise().take(); }

 private:
  Handle handle_{};
};

template <typename T>
Task<T> detail::Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> detail::Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

/// Something that the host does meanwhile. Its destruction ends it. Made by hosts.
template <typename T>
class Operation {
 public:
  virtual ~Operation() = default;
  /// Begins; once it is over the host resumes `waiting`, from the event loop and never from within start().
  virtual void start(std::coroutine_handle<> waiting) = 0;
  /// Throws WaitError.
  virtual T take() = 0;
};

/// What co_await takes: it begins when it is waited for.
template <typename T>
class [[nodiscard]] Wait {
 public:
  explicit Wait(std::unique_ptr<Operation<T>> operation) noexcept : operation_(std::move(operation)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) { operation_->start(waiting); }
  T await_resume() { return operation_->take(); }

 private:
  std::unique_ptr<Operation<T>> operation_;
};

}  // namespace gibbon
