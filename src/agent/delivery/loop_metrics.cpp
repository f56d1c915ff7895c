#include <spdlog/spdlog.h>

#include <unordered_map>

#include "agent/delivery/loop.hpp"

namespace gibbon::agent {
namespace {

/// How long a reader waits for fresh figures before it takes the last ones: the thread may be in a slow disk.
constexpr auto kPatience = std::chrono::seconds(1);
constexpr const char* kLossNames[record::kLossReasons] = {"damaged",  "unknown_plugin", "encode_failed",
                                                          "rejected", "spool_full",     "spool_failed"};

}  // namespace

/// Takes up every destination that an agent before left something for, also where its plugin is gone.
Status Delivery::Loop::recover_spools() {
  if (Status made = files_.make_directory(options_.spool_directory); !made) return made;
  Result<std::vector<std::string>> names = files_.list(options_.spool_directory);
  if (!names) return names.error();
  std::unordered_map<std::uint64_t, RingSource*> by_id;
  for (const auto& [slot, ring] : rings_) by_id.emplace(ring->id(), ring.get());
  const auto seen = [&](std::uint64_t ring_id, std::uint64_t ring_seq) {
    if (const auto ring = by_id.find(ring_id); ring != by_id.end()) ring->second->note_spooled(ring_seq);
  };
  for (const std::string& name : *names) {
    Result<Destination> destination = Endpoint::read_meta(files_, options_.spool_directory + "/" + name);
    if (!destination) {
      spdlog::warn("the spool's directory {} is passed by: {}", name, destination.error().message);
      continue;
    }
    if (Endpoint::directory_name(*destination) != name) {
      spdlog::warn("the spool's directory {} is passed by: it belongs to another destination", name);
      continue;
    }
    if (Status recovered = endpoint_for(*destination)->recover(seen); !recovered)
      spdlog::error("the spool's directory {} cannot be used: {}", name, recovered.error().message);
  }
  return {};
}

/// Compares what the rings gave to the spools with what the spools got. More: rings that are gone since (a reboot
/// empties shared memory) gave it. Less: someone removed a spool.
void Delivery::Loop::count_inherited() {
  std::uint64_t given = 0, got = 0;
  for (const auto& [slot, ring] : rings_)
    given += ring->consumer().ledger().outcomes.spooled + ring->already_spooled();
  for (const auto& [name, endpoint] : endpoints_)
    if (endpoint->spool() != nullptr) got += endpoint->spool()->appended();
  inherited_ = got > given ? got - given : 0;
  spool_lost_ = given > got ? given - got : 0;
  if (spool_lost_ > 0) spdlog::error("{} entries that were in the spool are gone with it", spool_lost_);
}

DeliveryMetrics Delivery::Loop::count() const {
  DeliveryMetrics m;
  std::uint64_t lost[record::kLossReasons] = {}, ring_full = 0, too_large = 0;
  m.captured = inherited_;
  for (const auto& [slot, ring] : rings_) {
    const record::RingConsumer& consumer = ring->consumer();
    const record::RingHeader& header = consumer.header();
    const record::RingLedger ledger = consumer.ledger();
    const std::uint64_t full = header.dropped[static_cast<int>(record::DropReason::kRingFull)].load();
    const std::uint64_t large = header.dropped[static_cast<int>(record::DropReason::kTooLarge)].load();
    const std::uint64_t records = consumer.captured_records(), open = ring->window().size();
    ring_full += full;
    too_large += large;
    m.captured += records + full + large;
    m.delivered += ledger.outcomes.delivered;
    for (std::size_t i = 0; i < record::kLossReasons; ++i) lost[i] += ledger.outcomes.lost[i];
    // What the spool has already, it counts.
    m.pending_ring += records - ledger.records - open - ring->already_spooled();
    m.pending_memory += open - ring->window().spooled();
    m.fullest_ring_percent =
        std::max(m.fullest_ring_percent, consumer.unreleased_bytes() * 100 / header.capacity);
  }
  m.rings = rings_.size();
  for (const auto& [name, endpoint] : endpoints_) {
    m.endpoints.push_back(endpoint->metrics(now_ms_));
    const Spool* spool = endpoint->spool();
    if (spool == nullptr) continue;
    m.delivered += spool->ledger().delivered;
    m.pending_spool += spool->pending();
    for (std::size_t i = 0; i < record::kLossReasons; ++i) lost[i] += spool->ledger().lost[i];
  }
  m.dropped = {{"ring_full", ring_full}, {"too_large", too_large}};
  for (std::size_t i = 0; i < record::kLossReasons; ++i) m.dropped.emplace_back(kLossNames[i], lost[i]);
  m.dropped.emplace_back("spool_lost", spool_lost_);
  return m;
}

void Delivery::Loop::answer_metrics() {
  const std::uint64_t asked = metrics_asked_.load();
  if (asked == metrics_answered_) return;
  find_every_ring();
  const std::lock_guard lock(metrics_mutex_);
  metrics_ = count();
  metrics_answered_ = asked;
  counted_.notify_all();
}

DeliveryMetrics Delivery::Loop::metrics() const {
  const std::uint64_t ticket = metrics_asked_.fetch_add(1) + 1;
  sender_.wake();
  std::unique_lock lock(metrics_mutex_);
  counted_.wait_for(lock, kPatience, [&] { return metrics_answered_ >= ticket || !counting_; });
  return metrics_;
}

}  // namespace gibbon::agent
