#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/health_table.hpp"
#include "gateway/balancer/hosts.hpp"

namespace gibbon::gateway {

/// What a target's host stands for at one moment.
struct HostAnswer {
  enum class Kind : std::uint8_t { kUnknown /*not asked, or not answered yet*/, kA, kAaaa, kSrv, kFailed };
  struct Endpoint {
    Address address;
    std::uint16_t port = 0;               ///< 0: the target's own.
    std::optional<std::uint32_t> weight;  ///< Of an SRV record; else the target's own counts.
    std::string name;                     ///< The host that an SRV record names.
    bool operator==(const Endpoint&) const = default;
  };
  Kind kind = Kind::kUnknown;
  std::vector<Endpoint> endpoints;
  std::string error;  ///< Where kFailed.

  /// The answer for a host that is an address.
  static HostAnswer literal(const Address& address);
  /// "A", "AAAA", "SRV", "unknown", or the error: as the Admin API shows it.
  [[nodiscard]] std::string label() const;
};

/// One address that can be picked. Its owner is a Balancer; requests that use it hold a reference each, since
/// it may be taken out of the balancer meanwhile. What it is called never changes: requests point at the
/// texts. Event thread.
struct Peer {
  Address address;
  std::uint16_t port = 0;
  std::uint32_t weight = 0;   ///< 0: never picked.
  std::string host;           ///< The target's, by which its health is kept.
  std::string ip;             ///< `address` as text.
  std::string name;           ///< "ip:port", "[ip]:port"
  std::string host_name;      ///< What the upstream is called: for TLS, and for Host.
  std::string host_and_port;  ///< `host_name`, and the port.
  std::uint64_t hash = 0;     ///< For consistent hashing: the same in every worker and after every restart.

  std::uint64_t health_key = 0;
  config::HealthTable::Cell* health = nullptr;  ///< Null: nobody checks.
  bool available = true;                        ///< As `health` said last.
  bool retired = false;                         ///< Taken out of the balancer.

  std::uint32_t connections = 0;  ///< Requests that this worker has in it.
  std::uint64_t due = 0;          ///< RoundRobin's.
  std::uint64_t last_pick = 0;    ///< The number of its last pick, among the balancer's.
  double latency_ms = 0;          ///< Latency's moving average,
  std::int64_t measured_ms = 0;   ///< as it was at this time; 0: never measured.

  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) delete this;
  }

 private:
  std::uint32_t references_ = 1;
};

}  // namespace gibbon::gateway
