#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace gibbon::agent {

/// One thread that runs jobs in the order in which they came, so that changes follow one another and no
/// reader waits for them. Bounded: a full queue refuses. Sleeps while there is nothing to do.
class WriteQueue {
 public:
  using Job = std::function<void()>;
  WriteQueue();
  /// Runs what is queued, then ends.
  ~WriteQueue();
  /// False: kMaxJobs wait already; the job was not taken.
  [[nodiscard]] bool push(Job job);
  static constexpr std::size_t kMaxJobs = 1024;

 private:
  void run();
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace gibbon::agent
