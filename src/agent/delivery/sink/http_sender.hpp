#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "gibbon/delivery.hpp"

namespace gibbon::agent {

/// What came of a POST.
struct HttpAnswer {
  int status = 0;               ///< 0: no answer; `error` says why.
  std::string error;
  bool accepts_ndjson = false;  ///< Accept-Post names application/x-ndjson.
  std::chrono::milliseconds retry_after{0};
  std::string body;             ///< The first bytes, for messages.
};

/// Sends POSTs, or what else the destination's method is, over kept-alive HTTP/1.1 connections, many at a time, on one thread, without blocking it.
/// TLS certificates are verified unless the destination says otherwise. Threads: one; wake() any.
class HttpSender {
 public:
  /// A destination with what its transfers share. Must not outlive the sender.
  class Target;
  struct TargetDeleter {
    void operator()(Target* target) const;
  };
  using TargetPtr = std::unique_ptr<Target, TargetDeleter>;
  using Done = std::function<void(const HttpAnswer&)>;
  enum class Body { kSingle, kNdjson };

  HttpSender();
  HttpSender(const HttpSender&) = delete;
  HttpSender& operator=(const HttpSender&) = delete;
  ~HttpSender();

  TargetPtr make_target(const Destination& destination);
  /// Starts a POST; `done` is called once, from perform(), unless the target goes away before. `bytes` must live
  /// until then. `idempotency_key`: empty, or the value of that header.
  void post(Target& target, Body body, std::string_view bytes, std::string_view idempotency_key, Done done);
  /// Moves the transfers on as far as they go without waiting, and reports those that ended.
  void perform();
  /// Waits until a transfer can move on, wake() or the timeout.
  void wait(std::chrono::milliseconds timeout);
  void wake();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// `url` without the userinfo that it may hold: for messages and metrics.
std::string without_userinfo(std::string_view url);

}  // namespace gibbon::agent
