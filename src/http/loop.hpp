#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <utility>

namespace gibbon::http {

class Connection;

/// One thread with its event loop and the connections that live on it.
/// Threads: run() is the loop's own; post() may be called from any, also after the loop has ended.
class Loop {
 public:
  Loop() : context_(1), guard_(context_.get_executor()) {}

  void start() {
    thread_ = std::thread([this] {
      current_ = this;
      context_.run();
    });
  }

  /// Runs `task` on the loop's thread; drops it once the loop has ended.
  template <typename Task>
  void post(Task&& task) {
    const std::lock_guard lock(mutex_);
    if (!ended_) boost::asio::post(context_, std::forward<Task>(task));
  }

  /// Lets run() return when nothing is left to do, and waits for that.
  void finish() {
    guard_.reset();
    if (thread_.joinable()) thread_.join();
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    context_.restart();
    context_.poll();  // What was posted between the two: nothing may stay behind that holds a connection.
  }

  [[nodiscard]] bool here() const { return current_ == this; }
  boost::asio::io_context& context() { return context_; }

  /// The loop's thread only.
  std::unordered_set<Connection*> connections;
  bool draining = false;

 private:
  static inline thread_local Loop* current_ = nullptr;

  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::mutex mutex_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace gibbon::http
