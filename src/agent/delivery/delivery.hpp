#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "agent/delivery/metrics.hpp"
#include "base/result.hpp"
#include "config/snapshot.hpp"
#include "plugin/registry.hpp"

namespace gibbon::agent {

class FileSystem;

struct DeliveryOptions {
  std::string shared_directory;  ///< Where the rings and the snapshots are.
  std::string spool_directory;
  std::uint64_t spool_max_bytes = std::uint64_t{1} << 30;  ///< Of all endpoints together.
  const plugin::Registry* plugins = nullptr;               ///< Must outlive the delivery.
  /// What a reference to a vault refers to; threads: any. Destinations are kept on disk with their references.
  std::function<Result<std::string>(const std::string& reference)> secret;
  FileSystem* files = nullptr;                             ///< The spool's disk; null: the real one.
};

/// Takes finished exchanges out of the rings and brings each to its endpoint: redacted, encoded by its plugin, at
/// least once, and through the disk where the endpoint is away. Repeats carry the same entry_id.
/// A record leaves its ring only when it was acknowledged, is safe in the spool, or was lost for a counted reason:
/// so whoever is killed, nothing is forgotten, and captured = delivered + dropped + pending.
/// Threads: one of its own does all of it; the functions here may be called from any.
class Delivery {
 public:
  explicit Delivery(DeliveryOptions options);
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;
  /// As stop() with no time to drain.
  ~Delivery();

  /// Recovers the spool and starts the thread. Errors: the spool's directory cannot be used.
  Status start();
  /// A new generation of the configuration. Records wait in their rings until the first one.
  void publish(std::shared_ptr<const config::Snapshot> snapshot);
  /// Files that entries are appended to are opened anew: they may have been moved away.
  void reopen();
  /// Delivers what it can until then, spools the rest, ends the thread. Later calls do nothing.
  void stop(std::chrono::milliseconds drain);
  /// At most some milliseconds old.
  [[nodiscard]] DeliveryMetrics metrics() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace gibbon::agent
