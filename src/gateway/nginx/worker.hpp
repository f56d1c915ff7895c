#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "config/control.hpp"
#include "config/health_table.hpp"
#include "gateway/chain/runtime.hpp"
#include "gateway/counters/counter_table.hpp"
#include "gateway/nginx/background.hpp"
#include "gateway/nginx/conf.hpp"
#include "gateway/nginx/probes.hpp"
#include "gateway/nginx/sockets.hpp"
#include "gateway/nginx/upstreams.hpp"
#include "record/metric_table.hpp"
#include "record/ring.hpp"

namespace gibbon::nginx {

/// One nginx worker's state: its ring, its current configuration, and the thread that prepares the next one.
///
/// A new configuration costs the event loop one pointer swap: the loader thread sleeps on the worker's FIFO, reads
/// the snapshot, builds the runtime, and leaves it in `next_`; the next request takes it from there with one atomic
/// load. From the moment that it lies there every new request uses it, so the thread reports the generation as
/// applied at once. Runtimes that no request uses any more go back to the thread to be destroyed.
class Worker {
 public:
  /// Starts in init_process, after the fork. Never fails: a worker without a ring or without a configuration
  /// serves what it can, says why in the error log, and counts what it could not record.
  Worker(MainConf& conf, ngx_log_t* log);
  ~Worker();
  Worker(const Worker&) = delete;

  /// The configuration for a request that begins now; null before the first one. Event thread.
  gateway::Runtime* acquire_runtime();
  /// The request is over. Event thread.
  void release_runtime(gateway::Runtime* runtime);
  /// Takes over the runtime that the loader has left, if there is one. Event thread.
  void take_next_runtime();
  /// What requests are balanced over. Event thread.
  Upstreams& upstreams() { return *upstreams_; }
  /// Starts the plugins: init_worker, and the configuration that is there. Once, before the first request. Event thread.
  void start_plugins();
  /// What plugins do without a request. Event thread.
  BackgroundTasks& background() { return background_; }
  /// The connections of plugins. Event thread.
  Sockets& sockets() { return *sockets_; }
  /// A few times a second: names, health, and, in one worker of the gateway at a time, probes and what the agent shows.
  /// Event thread.
  void look_after_upstreams();

  /// Null where this worker has none. Event thread.
  record::RingProducer* ring() { return ring_ ? &*ring_ : nullptr; }
  /// What plugins count, shared by all workers. Null where there is no such table. Event thread.
  gateway::CounterTable* counters() { return counters_ ? &*counters_ : nullptr; }
  /// Counts a figure of a plugin's: see Metrics in the plugin kit. Event thread.
  void add_metric(const PluginDescriptor& plugin, std::size_t family, std::span<const std::string_view> labels,
                  double value);
  /// A new entry id: milliseconds since the epoch times 4096, unique in this gateway. Event thread.
  std::uint64_t next_id_ticks(std::int64_t now_ms);
  /// 16 random bytes, fit for ids. Event thread.
  void random_bytes(std::uint8_t (&out)[16]);
  void count_request();
  /// The error logs' level as an operator wants it for now: see ControlPage::log_level. Event thread, once a second.
  void follow_log_level();
  /// Copies nginx's connection counters into the control page, where the agent reads them. Event thread: with each
  /// request, and once a second.
  void publish_counters();

 private:
  void open_tables();
  /// Loads the current generation if it is newer than the last one. Loader (and the constructor).
  void load_current();
  void run_loader();
  void wake_loader();
  void tell_changed_targets();
  void write_told_targets();
  void watch_loader();
  void start_upstream_timer();
  /// nginx's log is not for other threads: they write their lines to the same descriptor with one write() each.
  void log_from_thread(const char* level, const std::string& text) const;
  void retire(gateway::Runtime* runtime);
  void destroy_retired();

  MainConf& conf_;
  ngx_log_t* log_;
  std::optional<record::RingProducer> ring_;
  std::optional<config::Control> control_;
  std::optional<config::HealthTable> health_;
  std::optional<gateway::CounterTable> counters_;
  std::optional<record::MetricWriter> metrics_;  ///< Of this worker's slot.
  std::vector<std::pair<const PluginDescriptor*, std::vector<record::MetricSource>>> metric_sources_;
  std::optional<Upstreams> upstreams_;
  std::optional<Probes> probes_;
  std::optional<Sockets> sockets_;
  BackgroundTasks background_;
  ngx_event_t first_turn_{};
  config::ControlPage::Worker* page_ = nullptr;
  std::uint32_t slot_ = 0;

  gateway::Runtime* current_ = nullptr;           // Event thread.
  std::atomic<gateway::Runtime*> next_{nullptr};  // Loader to event thread.
  std::mutex retired_mutex_;
  std::vector<gateway::Runtime*> retired_;      // Event thread to loader.
  std::vector<gateway::Runtime*> to_retire_;    // Event thread: not handed over yet.
  config::SnapshotReader snapshots_;            // Loader.
  std::vector<Upstreams::Changed> told_;        // The same, under the same mutex.
  ngx_connection_t* wakeup_ = nullptr;          // Loader to event thread: there is a next runtime.
  std::uint64_t loaded_generation_ = 0;         // Loader.
  gateway::tls::Cache certificate_cache_;       // Loader.
  int fifo_ = -1;
  std::atomic<bool> stopping_{false};
  std::thread loader_;

  ngx_event_t counters_timer_{}, tick_timer_{};
  std::uint32_t log_level_ = 0;  ///< The page's, as it was applied last.
  std::vector<std::pair<ngx_log_t*, ngx_uint_t>> logs_;  ///< Every error log with its configured level.
  bool leads_ = false;  ///< It probes, and tells of targets: it holds the lease.
  std::int64_t id_ms_ = 0;
  std::uint32_t id_seq_ = 0;
  std::uint64_t random_[2];
};

/// The worker of this process; null in the master.
Worker* worker();
void start_worker(MainConf& conf, ngx_log_t* log) noexcept;
void stop_worker() noexcept;

}  // namespace gibbon::nginx
