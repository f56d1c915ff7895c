#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "agent/delivery/delivery.hpp"
#include "agent/delivery/endpoint.hpp"
#include "agent/delivery/plugin_targets.hpp"
#include "agent/delivery/redact.hpp"
#include "agent/delivery/ring_source.hpp"

namespace gibbon::agent {

/// The delivery thread: rings, plugins and endpoints brought together. See delivery.hpp for what it promises.
class Delivery::Loop {
 public:
  explicit Loop(DeliveryOptions options);
  ~Loop() { stop(std::chrono::milliseconds(0)); }

  Status start();
  void publish(std::shared_ptr<const config::Snapshot> snapshot);
  void stop(std::chrono::milliseconds drain);
  void reopen();
  DeliveryMetrics metrics() const;

 private:
  // loop.cpp: the thread
  void run();
  /// One round; true when something was done.
  bool turn(Clock::time_point now);
  void finish(Clock::time_point deadline);
  void take_published();
  bool settle_rings();
  void relieve(Clock::time_point now);

  // loop_intake.cpp: from the rings to the endpoints
  /// Opens rings that are new, as often as is cheap.
  void scan_rings(Clock::time_point now);
  /// Opens all rings that there are now: for figures, and before the end.
  void find_every_ring();
  void open_ring(const std::string& path, std::uint32_t slot);
  /// True when records were taken.
  bool read_ring(RingSource& ring, Clock::time_point now, std::size_t limit);
  enum class Take { kTaken, kWait };
  Take take(RingSource& ring, const record::RingConsumer::Item& item, Clock::time_point now);
  /// Make the entry of what was parsed last, at the end of `out`. Throw what the plugin throws.
  void encode_exchange(const PluginTarget& target, std::string& out);
  void encode_queued(const PluginTarget& target, std::string& out);
  Endpoint* endpoint_for(const Destination& destination);

  // loop_metrics.cpp
  Status recover_spools();
  void count_inherited();
  DeliveryMetrics count() const;
  void answer_metrics();

  DeliveryOptions options_;
  FileSystem& files_;
  mutable HttpSender sender_;
  SpoolBudget budget_;
  std::map<std::string, std::unique_ptr<Endpoint>> endpoints_;  ///< By directory name.
  std::unique_ptr<PluginTargets> targets_;
  std::map<std::uint32_t, std::unique_ptr<RingSource>> rings_;  ///< By slot.
  std::set<std::string> complained_;
  Clock::time_point scanned_at_{}, listed_at_{}, synced_at_{}, complained_at_{};
  std::int64_t listed_mtime_ns_ = -1;
  std::uint64_t now_ms_ = 0;

  record::ParsedRecord parsed_;
  record::QueuedEntry queued_;
  Redactor redactor_;
  /// What the spool holds of rings that are gone, and what rings gave to a spool that has lost it: as of start.
  std::uint64_t inherited_ = 0, spool_lost_ = 0;

  std::thread thread_;
  std::atomic<bool> stopping_{false}, published_{false}, reopening_{false};
  std::atomic<Clock::rep> deadline_{0};
  std::mutex inbox_mutex_;
  std::vector<std::shared_ptr<const config::Snapshot>> inbox_;
  // Who wants figures takes a ticket, wakes the thread, and waits until it has counted.
  mutable std::mutex metrics_mutex_;
  mutable std::condition_variable counted_;
  mutable std::atomic<std::uint64_t> metrics_asked_{0};
  std::uint64_t metrics_answered_ = 0;
  bool counting_ = false;  ///< The thread runs, and answers.
  DeliveryMetrics metrics_;
};

}  // namespace gibbon::agent
