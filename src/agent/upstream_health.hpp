#pragma once

#include <string>
#include <vector>

#include "agent/admin/host.hpp"
#include "config/target_view.hpp"

/// The health of upstreams as an operator sees it, in Kong's words and shapes.
namespace gibbon::agent {

struct AddressHealth {
  std::string ip;
  std::uint16_t port = 0;
  std::uint32_t weight = 0;
  std::uint64_t key = 0;  ///< In the health table.
  bool available = true;
};

struct TargetHealth {
  config::TargetPlan plan;
  std::string dns;
  std::vector<AddressHealth> addresses;
  bool checked = false;  ///< Its health can change.

  /// "HEALTHY", "UNHEALTHY", "HEALTHCHECKS_OFF"
  [[nodiscard]] std::string address_state(const AddressHealth& address) const;
  /// The same, or "DNS_ERROR" where it has no address. Healthy where any of its addresses is.
  [[nodiscard]] std::string state() const;
  /// {"host", "port", "dns", "nodeWeight", "weight", "addresses"}; the addresses with "health".
  [[nodiscard]] json::object details() const;
  /// The same with "healthy" for each address, as `balancer_health=1` shows it.
  [[nodiscard]] json::object balancer_details() const;
};

/// All of one upstream at one moment.
struct UpstreamHealth {
  config::Upstream upstream;
  std::vector<TargetHealth> targets;  ///< In the order of `rows`.
  std::vector<Row> rows;              ///< The newest first.

  /// Reads it; `row`: the upstream.
  static UpstreamHealth read(Host& host, const Image& image, const Row& row);
  /// Enough of the weight is available.
  [[nodiscard]] bool healthy() const;
  /// What `balancer_health=1` shows.
  [[nodiscard]] json::object balancer() const;
};

/// An upstream's targets, the newest first: Kong's order.
std::vector<Row> targets_of(const Image& image, std::string_view upstream_id);

/// kong_upstream_target_health of all upstreams, in Prometheus' text format.
std::string upstream_metrics(Host& host);

}  // namespace gibbon::agent
