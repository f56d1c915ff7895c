#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/entities.hpp"
#include "config/health_table.hpp"
#include "config/snapshot.hpp"
#include "config/target_view.hpp"
#include "gateway/balancer/algorithm.hpp"

namespace gibbon::gateway {

/// An upstream as the loader's thread prepares it for the event thread: what changed is told by the
/// fingerprint alone.
struct UpstreamPlan {
  config::Upstream upstream;
  std::vector<config::TargetPlan> targets;
  std::string client_certificate, client_key;  ///< PEM, for health checks; empty where it has none.
  std::uint64_t fingerprint = 0;
};

/// The plans of a snapshot, in the order of its upstreams.
std::vector<UpstreamPlan> plan_upstreams(const config::Snapshot& snapshot);

/// The peers of one upstream in one worker: its targets, the addresses behind them, and what is known of
/// their health. It outlives changes of the configuration: a target or an address that stays keeps its
/// connections, its latency and its health. Event thread.
class Balancer {
 public:
  /// `health`: null where there is no table; it must outlive the balancer.
  Balancer(config::HealthTable* health, std::uint64_t seed);
  ~Balancer();
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  /// Takes over a configuration. Targets that are new have no address until set_answer().
  void configure(const config::Upstream& upstream, std::span<const config::TargetPlan> targets);
  /// What the host of target `index` stands for now. Its addresses that are named again stay the same peers.
  void set_answer(std::size_t index, const HostAnswer& answer);

  /// The next peer, with a reference and a connection counted; null where none is available. Peers that the
  /// request has tried are picked again only when all have been tried.
  Peer* pick(PickInput input);
  /// Whether a peer that was picked may still be used: it is neither retired nor out.
  bool usable(const Peer& peer);
  /// The request left the peer: gives back what pick() took.
  static void leave(Peer& peer);

  // Passive checks: what a request saw. Nothing where they are off.
  void saw_status(Peer& peer, int status);
  void saw_tcp_failure(Peer& peer);
  void saw_timeout(Peer& peer);
  /// For the latency algorithm.
  void saw_latency(Peer& peer, double latency_ms, std::int64_t now_ms);

  /// Says in the health table that the addresses are in use. Every few seconds.
  void keep_health();
  /// Reads the health table where it changed.
  void refresh();

  struct Target {
    config::TargetPlan plan;
    HostAnswer answer;
    std::vector<Peer*> peers;
  };
  [[nodiscard]] const config::Upstream& upstream() const { return upstream_; }
  [[nodiscard]] const std::vector<Target>& targets() const { return targets_; }
  /// Enough of the weight is available. As of the last refresh().
  [[nodiscard]] bool healthy() const { return healthy_; }
  /// Some target's host has never been answered for.
  [[nodiscard]] bool pending() const;
  /// Changes with every new configuration and every answer.
  [[nodiscard]] std::uint64_t version() const { return version_; }

 private:
  Peer* make_peer(const Target& target, const HostAnswer::Endpoint& endpoint) const;
  std::string host_name(const Target& target, const HostAnswer::Endpoint& endpoint) const;
  void attach_health(Peer& peer);
  void update_peers(Target& target);
  void retire(Peer* peer);
  void rebuild();
  void report(Peer& peer, config::HealthReport report);

  config::HealthTable* health_;
  std::uint64_t seed_;
  config::Upstream upstream_;
  bool checked_ = false;
  std::vector<Target> targets_;
  std::unique_ptr<Algorithm> algorithm_;
  std::vector<Peer*> pickable_;
  std::uint64_t seen_epoch_ = 0, picks_ = 0, version_ = 0;
  bool healthy_ = false;
};

}  // namespace gibbon::gateway
