#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gibbon/async.hpp"

namespace gibbon {

/// Counters that all workers share, in memory: Kong's shared dictionaries. They end with the gateway, and the ones that
/// end soonest give way when there are too many. A key is any bytes; each plugin has keys of its own.
/// Threads: the event thread. Phases: all.
class Counters {
 public:
  /// Adds, and returns the sum. A counter that is not there, or has ended, begins at 0 and ends after `ttl`.
  virtual std::int64_t increment(std::string_view key, std::int64_t by, std::chrono::seconds ttl) = 0;
  /// 0 where it is not there.
  [[nodiscard]] virtual std::int64_t get(std::string_view key) const = 0;

 protected:
  ~Counters() = default;
};

/// A kind of figure that a plugin counts: see Handler::metrics() in plugin.hpp.
struct MetricFamily {
  enum class Type : std::uint8_t { kCounter, kHistogram } type = Type::kCounter;
  std::string name{};  ///< As /metrics shows it: "kong_http_requests_total".
  std::string help{};
  std::vector<std::string> labels{};
  std::vector<double> buckets{};  ///< kHistogram: the upper bounds, rising, without +Inf.
};

/// The figures of this plugin, summed over the workers at GET /metrics. Threads: the event thread. Phases: all.
class Metrics {
 public:
  /// Adds `value` to a counter, or puts it into a histogram. `family`: an index of Handler::metrics(). `labels`: a value
  /// for each of the family's. The first use of a set of labels takes shared memory; where none is left it is not
  /// counted, and /metrics says how often.
  virtual void add(std::size_t family, std::span<const std::string_view> labels, double value = 1) = 0;

 protected:
  ~Metrics() = default;
};

/// Kong's kong.log: lines of the gateway's error log, prefixed with the plugin's name. Phases: all.
class Log {
 public:
  enum class Level : std::uint8_t { kCritical, kError, kWarning, kNotice, kInfo, kDebug };
  virtual void write(Level level, std::string_view message) = 0;
  void crit(std::string_view message) { write(Level::kCritical, message); }
  void err(std::string_view message) { write(Level::kError, message); }
  void warn(std::string_view message) { write(Level::kWarning, message); }
  void notice(std::string_view message) { write(Level::kNotice, message); }
  void info(std::string_view message) { write(Level::kInfo, message); }
  void debug(std::string_view message) { write(Level::kDebug, message); }

 protected:
  ~Log() = default;
};

class Background;

/// Kong's kong.node, and what this worker offers a plugin. Threads: the event thread. Phases: all.
class Node {
 public:
  /// A UUID; the same for all workers and across restarts.
  [[nodiscard]] virtual std::string_view id() const = 0;
  [[nodiscard]] virtual std::string_view hostname() const = 0;
  /// "3.9.3": the version of Kong whose contract this is.
  [[nodiscard]] virtual std::string_view version() const = 0;
  /// From 0 on, smaller than the number of workers.
  [[nodiscard]] virtual std::uint32_t worker_id() const = 0;
  /// Milliseconds since the epoch, as of this turn of the event loop: ngx.now().
  [[nodiscard]] virtual std::int64_t now_ms() const = 0;
  virtual Counters& counters() = 0;
  virtual Metrics& metrics() = 0;

  /// A background task: a coroutine, and what it captures. It outlives the request; the worker's end destroys it. One
  /// that throws is logged.
  using Work = std::function<Task<>(Background&)>;
  /// Runs once, after `delay`; 0: as soon as this handler has returned.
  virtual void after(std::chrono::milliseconds delay, Work work) = 0;
  /// Runs again and again, `interval` after its last end.
  virtual void every(std::chrono::milliseconds interval, Work work) = 0;

 protected:
  ~Node() = default;
};

/// What a task without a request has: init_worker, configure, timers.
class Background : public Async {
 public:
  virtual Node& node() = 0;
  virtual Log& log() = 0;

 protected:
  ~Background() = default;
};

}  // namespace gibbon
