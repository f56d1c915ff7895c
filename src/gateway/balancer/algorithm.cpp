#include "gateway/balancer/algorithm.hpp"

#include <algorithm>
#include <cmath>

#include "base/hash.hpp"

namespace gibbon::gateway {
namespace {

/// The time between two turns of a peer of weight 1. Weights are at most 65535: no turn is off by more than
/// 1/65536.
constexpr std::uint64_t kTurn = std::uint64_t{1} << 32;
constexpr std::uint64_t kLatest = std::uint64_t{1} << 62;
/// How fast a measured latency is forgotten: Kong's.
constexpr double kDecayMs = 10'000;

bool due_later(const Peer* a, const Peer* b) {
  return a->due != b->due ? a->due > b->due : a->last_pick > b->last_pick;
}

double decayed(const Peer& peer, std::int64_t now_ms) {
  const auto age = static_cast<double>(std::max<std::int64_t>(0, now_ms - peer.measured_ms));
  return peer.latency_ms * std::exp(-age / kDecayMs);
}

}  // namespace

std::unique_ptr<Algorithm> Algorithm::make(config::Upstream::Algorithm kind, std::uint64_t seed) {
  switch (kind) {
    case config::Upstream::Algorithm::kConsistentHashing:
      return std::make_unique<ConsistentHash>(seed);
    case config::Upstream::Algorithm::kLeastConnections:
      return std::make_unique<LeastConnections>();
    case config::Upstream::Algorithm::kLatency:
      return std::make_unique<LeastLatency>();
    case config::Upstream::Algorithm::kRoundRobin:
      break;
  }
  return std::make_unique<RoundRobin>(seed);
}

// ---- Round robin
// -----------------------------------------------------------------------------------------------

void RoundRobin::push(Peer* peer) {
  heap_.push_back(peer);
  std::push_heap(heap_.begin(), heap_.end(), due_later);
}

Peer* RoundRobin::pop() {
  std::pop_heap(heap_.begin(), heap_.end(), due_later);
  Peer* peer = heap_.back();
  heap_.pop_back();
  return peer;
}

void RoundRobin::set_peers(std::span<Peer* const> peers) {
  heap_.clear();
  heap_.reserve(peers.size());
  aside_.reserve(peers.size());
  for (Peer* peer : peers) {
    // One that was away does not catch up, and one whose weight fell does not wait for its old turn.
    const std::uint64_t turn = kTurn / peer->weight;
    random_ = mix_bits(random_ + 0x9e3779b97f4a7c15ULL);
    if (peer->due <= now_ || peer->due > now_ + turn) peer->due = now_ + 1 + random_ % turn;
    push(peer);
  }
}

void RoundRobin::begin_anew() {
  for (Peer* peer : heap_) peer->due -= std::min(peer->due, now_);
  now_ = 0;
}

Peer* RoundRobin::pick(const PickInput& input) {
  if (heap_.size() == 1) return input.excludes(heap_.front()) ? nullptr : heap_.front();
  if (now_ > kLatest) begin_anew();
  Peer* picked = nullptr;
  while (picked == nullptr && !heap_.empty()) {
    Peer* first = pop();
    if (input.excludes(first)) {
      aside_.push_back(first);
    } else {
      picked = first;
    }
  }
  if (picked != nullptr) {
    now_ = std::max(now_, picked->due);
    picked->due += kTurn / picked->weight;
    push(picked);
  }
  for (Peer* peer : aside_) push(peer);
  aside_.clear();
  return picked;
}

// ---- Consistent hashing
// ----------------------------------------------------------------------------------------

void ConsistentHash::set_peers(std::span<Peer* const> peers) {
  peers_.assign(peers.begin(), peers.end());
  without_hash_.set_peers(peers);
}

Peer* ConsistentHash::pick(const PickInput& input) {
  if (!input.hash) return without_hash_.pick(input);
  Peer* best = nullptr;
  double best_score = -1;
  for (Peer* peer : peers_) {
    if (input.excludes(peer)) continue;
    // Uniform between 0 and 1, neither of them.
    const std::uint64_t drawn = mix_bits(*input.hash ^ peer->hash);
    const double uniform = (static_cast<double>(drawn >> 11) + 0.5) * 0x1p-53;
    const double score = peer->weight / -std::log(uniform);
    if (score > best_score) {
      best_score = score;
      best = peer;
    }
  }
  return best;
}

// ---- Least connections
// -----------------------------------------------------------------------------------------

Peer* LeastConnections::pick(const PickInput& input) {
  Peer* best = nullptr;
  for (Peer* peer : peers_) {
    if (input.excludes(peer)) continue;
    if (best == nullptr) {
      best = peer;
      continue;
    }
    // Counting the request that is to come, so that among idle peers the heaviest is first.
    const std::uint64_t a = std::uint64_t{peer->connections + 1} * best->weight;
    const std::uint64_t b = std::uint64_t{best->connections + 1} * peer->weight;
    if (a < b || (a == b && peer->last_pick < best->last_pick)) best = peer;
  }
  return best;
}

// ---- Latency
// ---------------------------------------------------------------------------------------------------

void LeastLatency::set_peers(std::span<Peer* const> peers) {
  double sum = 0;
  std::size_t measured = 0;
  std::int64_t latest = 0;
  for (const Peer* peer : peers) {
    if (peer->measured_ms == 0) continue;
    sum += peer->latency_ms;
    latest = std::max(latest, peer->measured_ms);
    ++measured;
  }
  for (Peer* peer : peers) {
    if (measured == 0 || peer->measured_ms != 0) continue;
    peer->latency_ms = sum / static_cast<double>(measured);
    peer->measured_ms = latest;
  }
  peers_.assign(peers.begin(), peers.end());
}

Peer* LeastLatency::pick(const PickInput& input) {
  Peer* best = nullptr;
  double best_score = 0;
  for (Peer* peer : peers_) {
    if (input.excludes(peer)) continue;
    const double score = decayed(*peer, input.now_ms) / peer->weight;
    const bool better =
        best == nullptr || score < best_score || (score == best_score && peer->last_pick < best->last_pick);
    if (!better) continue;
    best = peer;
    best_score = score;
  }
  return best;
}

void LeastLatency::measured(Peer& peer, double latency_ms, std::int64_t now_ms) {
  const auto age = static_cast<double>(std::max<std::int64_t>(0, now_ms - peer.measured_ms));
  const double kept = peer.measured_ms == 0 ? 0 : std::exp(-age / kDecayMs);
  peer.latency_ms = peer.latency_ms * kept + latency_ms * (1 - kept);
  peer.measured_ms = now_ms;
}

}  // namespace gibbon::gateway
