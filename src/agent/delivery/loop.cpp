#include "agent/delivery/loop.hpp"

#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace gibbon::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRecordsPerTurn = 512;
constexpr auto kSyncInterval = 500ms;
constexpr std::chrono::milliseconds kShortestWait = 1ms;
constexpr std::chrono::milliseconds kLongestWait = 50ms;

/// The process's signals are for its main thread.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigdelset(&all, fault);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

Delivery::Loop::Loop(DeliveryOptions options)
    : options_(std::move(options)),
      files_(options_.files != nullptr ? *options_.files : FileSystem::real()),
      targets_(std::make_unique<PluginTargets>(
          *options_.plugins, options_.shared_directory,
          [this](const Destination& destination) { return endpoint_for(destination); })) {
  budget_.max_bytes = options_.spool_max_bytes;
}

Status Delivery::Loop::start() {
  scan_rings(Clock::now());  // first the rings: the spool's recovery tells them what they need not give again
  if (Status recovered = recover_spools(); !recovered) return recovered;
  count_inherited();
  metrics_ = count();
  counting_ = true;
  thread_ = std::thread([this] {
    block_signals();
    run();
  });
  return {};
}

void Delivery::Loop::publish(std::shared_ptr<const config::Snapshot> snapshot) {
  {
    const std::lock_guard lock(inbox_mutex_);
    inbox_.push_back(std::move(snapshot));
  }
  published_ = true;
  sender_.wake();
}

void Delivery::Loop::reopen() {
  reopening_ = true;
  sender_.wake();
}

void Delivery::Loop::take_published() {
  if (!published_.exchange(false)) return;
  std::vector<std::shared_ptr<const config::Snapshot>> snapshots;
  {
    const std::lock_guard lock(inbox_mutex_);
    snapshots.swap(inbox_);
  }
  for (auto& snapshot : snapshots) targets_->add(std::move(snapshot));
}

void Delivery::Loop::stop(std::chrono::milliseconds drain) {
  if (!thread_.joinable()) return;
  deadline_ = (Clock::now() + drain).time_since_epoch().count();
  stopping_ = true;
  sender_.wake();
  thread_.join();
}

void Delivery::Loop::run() {
  auto wait = kShortestWait;
  while (!stopping_) {
    const auto now = Clock::now();
    const bool busy = turn(now);
    answer_metrics();
    wait = busy ? kShortestWait : std::min(kLongestWait, wait * 2);
    sender_.wait(wait);
  }
  finish(Clock::time_point(Clock::duration(deadline_.load())));
}

bool Delivery::Loop::turn(Clock::time_point now) {
  now_ms_ = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                           std::chrono::system_clock::now().time_since_epoch())
                                           .count());
  take_published();
  if (reopening_.exchange(false))
    for (const auto& [name, endpoint] : endpoints_) endpoint->reopen();
  scan_rings(now);
  bool busy = false, more = true;
  for (int round = 0; more && round < 8; ++round) {
    more = false;
    for (const auto& [slot, ring] : rings_) more |= read_ring(*ring, now, kRecordsPerTurn);
    busy |= more;
    std::uint64_t activity = 0;
    for (const auto& [name, endpoint] : endpoints_) {
      activity -= endpoint->activity();
      endpoint->pump(now);
    }
    sender_.perform();
    for (const auto& [name, endpoint] : endpoints_) activity += endpoint->activity();
    busy |= activity != 0;
    busy |= settle_rings();
  }
  relieve(now);
  if (now - synced_at_ >= kSyncInterval) {
    synced_at_ = now;
    for (const auto& [name, endpoint] : endpoints_) endpoint->sync();
  }
  return busy;
}

/// Gives the rings back what is finished, then lets the spools forget what the rings do not hold any more.
bool Delivery::Loop::settle_rings() {
  bool released = false;
  for (const auto& [slot, ring] : rings_) {
    released |= ring->window().front_finished();
    ring->release();
  }
  const Spool::ReleasedSeq released_seq = [this](std::uint64_t ring_id) {
    for (const auto& [slot, ring] : rings_)
      if (ring->id() == ring_id) return ring->released_seq();
    return ~std::uint64_t{0};
  };
  for (const auto& [name, endpoint] : endpoints_) endpoint->commit(released_seq);
  return released;
}

/// Keeps the rings free of endpoints that hang.
void Delivery::Loop::relieve(Clock::time_point now) {
  const auto any = [&](auto test) {
    return std::any_of(rings_.begin(), rings_.end(), [&](const auto& ring) { return test(*ring.second); });
  };
  const bool pressed = any([](const RingSource& ring) { return ring.pressed(); });
  for (const auto& [name, endpoint] : endpoints_) endpoint->protect_if_slow(now, pressed);
  if (!pressed) return;
  settle_rings();
  if (!any([](const RingSource& ring) { return ring.nearly_full() && ring.window().size() > ring.window().spooled(); }))
    return;
  // Still held although everything that could go to the spool went: the disk fails.
  for (const auto& [name, endpoint] : endpoints_) {
    if (!endpoint->has_unsafe() || endpoint->protect(now)) continue;
    spdlog::error("the ring is nearly full and the spool fails: dropping what waits in memory");
    endpoint->give_up_unsafe();
  }
  settle_rings();
}

void Delivery::Loop::finish(Clock::time_point deadline) {
  take_published();   // Also what came at the last moment...
  find_every_ring();  // ...and a worker that has just started may have left something already.
  for (const auto& [name, endpoint] : endpoints_) endpoint->hurry();
  const auto idle = [&] {
    const bool rings_empty = std::all_of(rings_.begin(), rings_.end(), [](const auto& ring) {
      return ring.second->consumer().unreleased_records() == 0;
    });
    // One that is away keeps nobody waiting: what it should have is in the spool.
    return rings_empty && std::all_of(endpoints_.begin(), endpoints_.end(), [](const auto& endpoint) {
             return endpoint.second->empty() || (endpoint.second->backing_off() && !endpoint.second->has_unsafe());
           });
  };
  for (auto now = Clock::now(); now < deadline && !idle(); now = Clock::now())
    if (!turn(now)) sender_.wait(kShortestWait * 2);
  // The rest is for the spool. What workers still write stays in their rings.
  const auto now = Clock::now();
  for (const auto& [name, endpoint] : endpoints_) endpoint->protect(now);
  for (const auto& [slot, ring] : rings_) {
    std::uint64_t left = ring->consumer().unreleased_records();
    while (left > 0 && read_ring(*ring, now, std::min<std::uint64_t>(left, kRecordsPerTurn))) {
      left -= std::min<std::uint64_t>(left, kRecordsPerTurn);
      for (const auto& [name, endpoint] : endpoints_) endpoint->flush(now);
    }
  }
  settle_rings();
  for (const auto& [name, endpoint] : endpoints_) endpoint->sync();
  const std::lock_guard lock(metrics_mutex_);
  metrics_ = count();
  counting_ = false;
  counted_.notify_all();
}

}  // namespace gibbon::agent
