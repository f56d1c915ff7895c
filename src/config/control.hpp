#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.hpp"

/// How a new snapshot reaches the workers: a page in shared memory (`control`) that names the current
/// generation, and a FIFO per worker (`wake.N`) that wakes the worker's loader thread. A worker writes the
/// generation that it applies to the page: from then on every request that begins in it uses that snapshot.
namespace gibbon::config {

inline constexpr std::uint32_t kControlMagic = 0x4C525443;  // "CTRL"
inline constexpr std::uint32_t kControlSlots = 256;

struct ControlPage {
  std::uint32_t magic, version;
  std::atomic<std::uint64_t> generation;  ///< 0: nothing published yet.
  std::atomic<std::uint32_t> log_level;   ///< nginx's number for the error log's level; 0: as configured.
  std::atomic<std::uint32_t> draining;    ///< 1: the gateway says that it wants no more traffic, until its end.
  struct alignas(64) Worker {
    std::atomic<std::uint32_t> pid;  ///< 0: no worker. Set last when a worker joins.
    std::atomic<std::uint64_t> applied;
    // Figures of nginx itself, written by the worker's event thread, for /status and /metrics.
    std::atomic<std::uint64_t> requests;
  } workers[kControlSlots];
  // nginx's connection counters, summed over the workers (ngx_stat_*), written by any worker.
  struct alignas(64) Connections {
    std::atomic<std::int64_t> accepted, handled, active, reading, writing, waiting, requests;
  } connections;
};

/// The page mapped. Either side makes it where it is missing. Movable; unmaps at the end.
class Control {
 public:
  static Result<Control> open(const std::string& directory);
  Control(Control&& other) noexcept : page_(other.page_), directory_(std::move(other.directory_)) {
    other.page_ = nullptr;
  }
  Control& operator=(Control&&) = delete;
  ~Control();
  [[nodiscard]] ControlPage& page() const { return *page_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }

  /// The agent: makes `generation` current and wakes every worker. The snapshot's file must be in place.
  void publish(std::uint64_t generation);
  /// The agent: waits until every live worker applies `generation` or a later one. False at the deadline.
  [[nodiscard]] bool wait_applied(std::uint64_t generation, std::chrono::milliseconds timeout) const;

 private:
  Control(ControlPage* page, std::string directory) : page_(page), directory_(std::move(directory)) {}
  ControlPage* page_;
  std::string directory_;
};

std::string wake_path(const std::string& directory, std::uint32_t slot);

}  // namespace gibbon::config
