#include <sys/file.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "record/ring.hpp"

namespace gibbon::record {

RingConsumer::RingConsumer(RingMapping mapping, std::uint32_t slot) : mapping_(std::move(mapping)), slot_(slot) {
  const RingLedger now = ledger();
  cursor_ = cached_head_ = now.tail;
  last_seq_ = now.records;
  // An agent that died between the ledger and the tail left the tail behind.
  mapping_.header().tail.store(now.tail, std::memory_order_release);
}

bool RingConsumer::next(Item* item) noexcept {
  const RingHeader& header = mapping_.header();
  if (cursor_ == cached_head_) {
    cached_head_ = header.head.load(std::memory_order_acquire);
    if (cursor_ == cached_head_) return false;
  }
  const std::byte* bytes = mapping_.data() + (cursor_ & (header.capacity - 1));
  RecordHead record;
  std::memcpy(&record, bytes, sizeof record);
  const bool whole = record.size >= sizeof record && (record.size & 7) == 0 &&
                     record.size <= cached_head_ - cursor_ && record.type != kDamagedRecord &&
                     record.seq > last_seq_ && cached_head_ - cursor_ <= header.capacity;
  if (whole && record.seq == last_seq_ + 1) {
    cursor_ += record.size;
    last_seq_ = record.seq;
    *item = Item{cursor_, record.seq, 1, record.type, {bytes, record.size}};
    return true;
  }
  if (whole && record.seq <= header.pushed.load(std::memory_order_acquire) + 1) {
    // What a jump over damage passed by without knowing how many there were.
    *item = Item{cursor_, record.seq - 1, record.seq - 1 - last_seq_, kDamagedRecord, {}};
    last_seq_ = record.seq - 1;
    return true;
  }
  // `pushed` before `head`: the records up to that head are at least so many. Should they be more, the next one's
  // number shows it.
  const std::uint64_t pushed = header.pushed.load(std::memory_order_acquire);
  cursor_ = cached_head_ = header.head.load(std::memory_order_acquire);
  const std::uint64_t last = std::max(pushed, last_seq_ + 1);
  *item = Item{cursor_, last, last - last_seq_, kDamagedRecord, {}};
  last_seq_ = last;
  return true;
}

void RingConsumer::release(std::uint64_t end, const Outcomes& outcomes) noexcept {
  RingHeader& header = mapping_.header();
  const std::uint32_t current = header.current_ledger.load(std::memory_order_relaxed) & 1;
  RingLedger next = header.ledgers[current];
  next.tail = end;
  next.records += outcomes.total();
  next.outcomes.delivered += outcomes.delivered;
  next.outcomes.spooled += outcomes.spooled;
  for (std::size_t i = 0; i < kLossReasons; ++i) next.outcomes.lost[i] += outcomes.lost[i];
  header.ledgers[1 - current] = next;
  header.current_ledger.store(1 - current, std::memory_order_release);
  header.tail.store(end, std::memory_order_release);
}

std::uint64_t RingConsumer::unreleased_bytes() const noexcept {
  const RingHeader& header = mapping_.header();
  return header.head.load(std::memory_order_acquire) - header.tail.load(std::memory_order_relaxed);
}

std::uint64_t RingConsumer::captured_records() const noexcept {
  return std::max(mapping_.header().pushed.load(std::memory_order_acquire), last_seq_);
}

std::uint64_t RingConsumer::unreleased_records() const noexcept { return captured_records() - ledger().records; }

RingLedger RingConsumer::ledger() const noexcept {
  const RingHeader& header = mapping_.header();
  return header.ledgers[header.current_ledger.load(std::memory_order_acquire) & 1];
}

bool RingConsumer::abandoned() const noexcept {
  // The consumer's descriptor is an open file description of its own, so that its lock competes with the worker's.
  if (::flock(mapping_.descriptor(), LOCK_SH | LOCK_NB) != 0) return false;
  ::flock(mapping_.descriptor(), LOCK_UN);
  return true;
}

}  // namespace gibbon::record
