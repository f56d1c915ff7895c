#include "agent/write_queue.hpp"

#include "base/give_way.hpp"

namespace gibbon::agent {

WriteQueue::WriteQueue() : thread_([this] { run(); }) {}

WriteQueue::~WriteQueue() {
  {
    const std::lock_guard lock(lock_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool WriteQueue::push(Job job) {
  {
    const std::lock_guard lock(lock_);
    if (jobs_.size() >= kMaxJobs) return false;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void WriteQueue::run() {
  give_way();  // Writing beside many routes takes milliseconds; the workers' event loops go first.
  std::unique_lock lock(lock_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    lock.lock();
  }
}

}  // namespace gibbon::agent
