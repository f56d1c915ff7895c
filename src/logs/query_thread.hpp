#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "logs/store/store.hpp"

namespace gibbon::logs {

/// Queries run here, one after another, so that none holds up the threads that take entries in.
class QueryThread {
 public:
  using Query = std::function<void(StoreReader&)>;

  explicit QueryThread(std::unique_ptr<StoreReader> reader)
      : reader_(std::move(reader)), thread_([this] { run(); }) {}

  /// Runs what still waits.
  ~QueryThread() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  enum class Admission { kTaken, kFull };
  /// Threads: any. Moves from `query` only where it is taken.
  Admission post(Query& query) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() >= kMost) return Admission::kFull;
      waiting_.push_back(std::move(query));
    }
    wake_.notify_one();
    return Admission::kTaken;
  }

 private:
  static constexpr std::size_t kMost = 1000;

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const auto query = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      query(*reader_);
      lock.lock();
    }
  }

  std::unique_ptr<StoreReader> reader_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Query> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace gibbon::logs
