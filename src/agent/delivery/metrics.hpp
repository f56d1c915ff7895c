#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gibbon::agent {

/// What the delivery knows of one endpoint.
struct EndpointMetrics {
  /// kDirect: entries go from the ring to the endpoint. kSpooling: through the disk. kAway: the last send failed.
  enum class State { kDirect, kSpooling, kAway };
  std::string url;                   ///< Without userinfo.
  State state = State::kDirect;
  std::uint64_t in_flight = 0;       ///< Sends under way.
  std::uint64_t queued_entries = 0, queued_bytes = 0;  ///< In memory, not yet under way.
  std::uint64_t spool_entries = 0, spool_bytes = 0;
  std::uint64_t delivered = 0;       ///< Since this agent started.
  std::uint64_t retries = 0;         ///< Sends that failed and will be done again, since this agent started.
  std::uint64_t lag_ms = 0;          ///< Age of the oldest entry that is known to wait.
  std::string last_error;            ///< Empty where there was none yet.
};

/// Where every exchange is that was ever recorded: captured = delivered + dropped + pending. Each figure is counted
/// on its own, in the rings and in the spools, and outlives the agent there.
struct DeliveryMetrics {
  std::uint64_t captured = 0;        ///< Records that were made, and those that could not be.
  std::uint64_t delivered = 0;
  std::vector<std::pair<std::string, std::uint64_t>> dropped;  ///< By reason, every reason once.
  std::uint64_t pending_ring = 0;    ///< Not looked at yet.
  std::uint64_t pending_memory = 0;  ///< On their way; the ring still has them.
  std::uint64_t pending_spool = 0;
  std::uint64_t rings = 0;
  std::uint64_t fullest_ring_percent = 0;
  std::vector<EndpointMetrics> endpoints;

  [[nodiscard]] std::uint64_t total_dropped() const {
    std::uint64_t sum = 0;
    for (const auto& [reason, count] : dropped) sum += count;
    return sum;
  }
  [[nodiscard]] std::uint64_t pending() const { return pending_ring + pending_memory + pending_spool; }
};

}  // namespace gibbon::agent
