#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "config/entities.hpp"
#include "gateway/balancer/peer.hpp"

namespace gibbon::gateway {

/// What a pick depends on.
struct PickInput {
  std::optional<std::uint64_t>
      hash;  ///< Of what the upstream hashes on; nothing where the request has none of it.
  std::span<Peer* const> failed;  ///< Peers that this request has tried: not picked again.
  std::int64_t now_ms = 0;        ///< Any clock that goes on.

  [[nodiscard]] bool excludes(const Peer* peer) const {
    for (const Peer* other : failed)
      if (other == peer) return true;
    return false;
  }
};

/// How one of an upstream's peers is chosen. Event thread; a pick allocates nothing.
class Algorithm {
 public:
  virtual ~Algorithm() = default;
  /// The peers to pick from: available, of some weight. They live until the next call.
  virtual void set_peers(std::span<Peer* const> peers) = 0;
  /// Null where there is none that `input` does not exclude.
  virtual Peer* pick(const PickInput& input) = 0;

  /// `seed`: lets the workers of one gateway begin at different peers.
  static std::unique_ptr<Algorithm> make(config::Upstream::Algorithm kind, std::uint64_t seed);
};

/// By weight, evenly spread in time: each peer is due every 1/weight, and the one that is due first is
/// picked. O(log n).
class RoundRobin final : public Algorithm {
 public:
  explicit RoundRobin(std::uint64_t seed) : random_(seed) {}
  void set_peers(std::span<Peer* const> peers) override;
  Peer* pick(const PickInput& input) override;

 private:
  void push(Peer* peer);
  Peer* pop();
  void begin_anew();
  std::vector<Peer*> heap_, aside_;
  std::uint64_t now_ = 0;  ///< The due time of the last pick.
  std::uint64_t random_;
};

/// The same peer for the same hash, in every worker (weighted rendezvous hashing): a peer that goes takes its
/// own share with it and moves nobody else's. Without a hash: round robin. O(n).
class ConsistentHash final : public Algorithm {
 public:
  explicit ConsistentHash(std::uint64_t seed) : without_hash_(seed) {}
  void set_peers(std::span<Peer* const> peers) override;
  Peer* pick(const PickInput& input) override;

 private:
  std::vector<Peer*> peers_;
  RoundRobin without_hash_;
};

/// The peer with the fewest of this worker's requests for its weight. O(n).
class LeastConnections final : public Algorithm {
 public:
  void set_peers(std::span<Peer* const> peers) override { peers_.assign(peers.begin(), peers.end()); }
  Peer* pick(const PickInput& input) override;

 private:
  std::vector<Peer*> peers_;
};

/// The peer that answered fastest of late, for its weight: a moving average (Peak EWMA, decay of 10 s). O(n).
class LeastLatency final : public Algorithm {
 public:
  /// Peers that were never measured begin with the average of the others.
  void set_peers(std::span<Peer* const> peers) override;
  Peer* pick(const PickInput& input) override;
  /// A request took `latency_ms` until its answer was there.
  static void measured(Peer& peer, double latency_ms, std::int64_t now_ms);

 private:
  std::vector<Peer*> peers_;
};

}  // namespace gibbon::gateway
