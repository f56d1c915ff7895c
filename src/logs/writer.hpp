#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "logs/store/store.hpp"

namespace gibbon::logs {

/// Group commit: one thread takes all posts that wait, stores them in one transaction, and then answers them all.
/// The queue is bounded in bytes; what does not fit is refused, never dropped later.
class Writer {
 public:
  struct Outcome {
    bool ok = false;
    std::string error;  ///< Where not ok: nothing of the post was stored.
    std::uint64_t stored = 0, duplicates = 0;
  };
  /// Called on the writer's thread when the post is durable, or failed. Must not block.
  using Done = std::function<void(const Outcome&)>;

  struct Counters {
    std::atomic<std::uint64_t> stored{0}, duplicates{0}, failed{0}, refused{0};  ///< Entries.
    std::atomic<std::uint64_t> commits{0}, failed_commits{0}, removed{0};
    std::atomic<std::uint64_t> commit_us{0};  ///< Spent in commits, in all.
  };

  /// `stored` is called on the writer's thread after each commit that stored something. The store must outlive this.
  Writer(Store& store, std::uint64_t queue_bytes, Retention retention, std::function<void()> stored);
  /// Stores and answers what still waits.
  ~Writer();

  enum class Admission { kTaken, kFull };
  /// Threads: any. Takes `entries` and `done` only where there is room; one post is always taken by an empty queue.
  Admission post(std::vector<Entry>& entries, std::size_t bytes, Done& done);

  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] std::uint64_t waiting_bytes() const { return waiting_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Post {
    std::vector<Entry> entries;
    std::size_t bytes = 0;
    Done done;
  };

  void run();
  void store(std::vector<Post>& posts);
  void retain();

  Store& store_;
  const std::uint64_t queue_bytes_;
  const Retention retention_;
  const std::function<void()> stored_;
  Counters counters_;
  std::atomic<std::uint64_t> waiting_bytes_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Post> waiting_;
  bool stopping_ = false;

  std::uint64_t since_retention_ = 0;
  std::thread thread_;
};

}  // namespace gibbon::logs
