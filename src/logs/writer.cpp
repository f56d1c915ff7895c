#include "logs/writer.hpp"

#include <spdlog/spdlog.h>

#include <iterator>

namespace gibbon::logs {
namespace {

constexpr std::size_t kMostPerCommit = 20'000;    ///< Entries; a commit of more keeps its posts waiting too long.
constexpr std::uint64_t kRetentionEntries = 4000;  ///< Stored entries between two looks at the limits.
constexpr std::chrono::seconds kRetentionPause{60};

}  // namespace

Writer::Writer(Store& store, std::uint64_t queue_bytes, Retention retention, std::function<void()> stored)
    : store_(store), queue_bytes_(queue_bytes), retention_(retention), stored_(std::move(stored)),
      thread_([this] { run(); }) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Writer::Admission Writer::post(std::vector<Entry>& entries, std::size_t bytes, Done& done) {
  {
    const std::lock_guard lock(mutex_);
    const std::uint64_t waiting = waiting_bytes_.load(std::memory_order_relaxed);
    if (waiting > 0 && waiting + bytes > queue_bytes_) {
      counters_.refused += entries.size();
      return Admission::kFull;
    }
    waiting_bytes_.store(waiting + bytes, std::memory_order_relaxed);
    waiting_.push_back({std::move(entries), bytes, std::move(done)});
  }
  wake_.notify_one();
  return Admission::kTaken;
}

void Writer::run() {
  std::vector<Post> posts;
  retain();
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      const auto awake = [this] { return stopping_ || !waiting_.empty(); };
      if (retention_.max_age.count() > 0) {
        // Only age passes without entries coming in: the one reason to wake up by the clock.
        while (!wake_.wait_for(lock, kRetentionPause, awake)) {
          lock.unlock();
          retain();
          lock.lock();
        }
      } else {
        wake_.wait(lock, awake);
      }
      if (waiting_.empty()) return;
      std::size_t count = 0, taken = 0;
      while (taken < waiting_.size() && (taken == 0 || count + waiting_[taken].entries.size() <= kMostPerCommit)) {
        count += waiting_[taken++].entries.size();
      }
      const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(taken);
      posts.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
      waiting_.erase(waiting_.begin(), end);
    }
    store(posts);
    posts.clear();
  }
}

void Writer::store(std::vector<Post>& posts) {
  // The posts' entries in a row: moved, not copied.
  std::vector<Entry> all;
  std::size_t count = 0, bytes = 0;
  for (const auto& post : posts) count += post.entries.size();
  all.reserve(count);
  std::vector<std::size_t> sizes;
  for (auto& post : posts) {
    sizes.push_back(post.entries.size());
    bytes += post.bytes;
    std::move(post.entries.begin(), post.entries.end(), std::back_inserter(all));
  }
  const auto begun = std::chrono::steady_clock::now();
  const auto appended = store_.append(all);
  counters_.commit_us += static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun).count());
  ++counters_.commits;
  if (!appended) {
    ++counters_.failed_commits;
    counters_.failed += count;
    spdlog::error("storing {} entries: {}", count, appended.error().message);
  } else {
    counters_.stored += appended->stored;
    counters_.duplicates += count - appended->stored;
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < posts.size(); ++i) {
    Outcome outcome;
    if (appended) {
      outcome.ok = true;
      for (const std::size_t end = at + sizes[i]; at < end; ++at) {
        ++(appended->seqs[at] != 0 ? outcome.stored : outcome.duplicates);
      }
    } else {
      outcome.error = appended.error().message;
    }
    posts[i].done(outcome);
  }
  {
    const std::lock_guard lock(mutex_);
    waiting_bytes_.store(waiting_bytes_.load(std::memory_order_relaxed) - bytes, std::memory_order_relaxed);
  }
  if (appended && appended->stored > 0) {
    stored_();
    since_retention_ += appended->stored;
    if (since_retention_ >= kRetentionEntries) retain();
  }
}

void Writer::retain() {
  since_retention_ = 0;
  if (retention_.max_bytes == 0 && retention_.max_age.count() == 0) return;
  for (;;) {
    const auto removed = store_.retain(retention_);
    if (!removed) return spdlog::error("removing old entries: {}", removed.error().message);
    counters_.removed += *removed;
    if (*removed == 0) return;
    const std::lock_guard lock(mutex_);
    if (!waiting_.empty() && retention_.max_bytes == 0) return;  // Age can wait; a full disk cannot.
  }
}

}  // namespace gibbon::logs
