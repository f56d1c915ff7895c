#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "record/ring.hpp"

namespace gibbon::record {
namespace {

/// Whether `path` still names the file that is open; a ring may have been replaced before its lock was ours.
bool still_named(int descriptor, const std::string& path) {
  struct stat open_file {}, named {};
  return ::fstat(descriptor, &open_file) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

/// Locked, and still the slot's ring.
bool take(const RingMapping& mapping, const std::string& path) {
  return ::flock(mapping.descriptor(), LOCK_EX | LOCK_NB) == 0 && still_named(mapping.descriptor(), path);
}

/// The number of the last record before head, from what the ring itself says: `pushed` may be one behind.
std::uint64_t last_seq(const RingMapping& mapping) {
  const RingHeader& header = mapping.header();
  const std::uint64_t head = header.head.load(std::memory_order_acquire);
  std::uint64_t position = header.tail.load(std::memory_order_acquire);
  const RingLedger& ledger = header.ledgers[header.current_ledger.load(std::memory_order_acquire) & 1];
  std::uint64_t seq = std::max(header.pushed.load(std::memory_order_acquire), ledger.records);
  while (position < head) {
    RecordHead record;
    std::memcpy(&record, mapping.data() + (position & (header.capacity - 1)), sizeof record);
    if (record.size < sizeof record || (record.size & 7) != 0 || record.size > head - position) break;
    position += record.size;
    if (position == head && record.seq == seq + 1) seq = record.seq;
  }
  return seq;
}

/// A ring of another size in the place of an empty one; nothing when the slot cannot be had now.
std::optional<RingMapping> replace(const RingMapping& old, const std::string& path, std::uint64_t capacity) {
  const std::string fresh = path + ".resized." + std::to_string(::getpid());
  ::unlink(fresh.c_str());
  Result<RingMapping> made = RingMapping::create(fresh, capacity, &old.header());
  if (!made) return std::nullopt;
  if (::flock(made->descriptor(), LOCK_EX | LOCK_NB) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0) {
    ::unlink(fresh.c_str());
    return std::nullopt;
  }
  return std::move(made).value();
}

bool empty(const RingHeader& header) {
  return header.head.load(std::memory_order_acquire) == header.tail.load(std::memory_order_acquire);
}

}  // namespace

Result<RingProducer> RingProducer::claim(const std::string& directory, std::uint64_t capacity) {
  capacity = std::bit_ceil(std::max<std::uint64_t>(capacity, 4096));
  std::string problem;
  for (std::uint32_t slot = 0; slot < kMaxSlots; ++slot) {
    const std::string path = directory + "/ring." + std::to_string(slot);
    RingMapping mapping;
    if (::access(path.c_str(), F_OK) != 0) {
      Result<RingMapping> made = RingMapping::create(path, capacity);
      if (!made) {
        problem = made.error().message;
        if (::access(path.c_str(), F_OK) != 0) return made.error();  // not another worker's: no room, no right
        continue;
      }
      mapping = std::move(made).value();
    } else {
      Result<RingMapping> opened = RingMapping::open(path);
      if (!opened) {
        problem = opened.error().message;
        continue;
      }
      mapping = std::move(opened).value();
    }
    if (!take(mapping, path)) continue;
    if (mapping.header().capacity != capacity) {
      if (!empty(mapping.header())) continue;
      std::optional<RingMapping> fresh = replace(mapping, path, capacity);
      if (!fresh) continue;
      mapping = std::move(*fresh);
    }
    RingProducer producer;
    producer.slot_ = slot;
    RingHeader& header = mapping.header();
    producer.head_ = header.head.load(std::memory_order_acquire);
    producer.cached_tail_ = header.tail.load(std::memory_order_acquire);
    producer.seq_ = last_seq(mapping);
    header.pushed.store(producer.seq_, std::memory_order_release);
    header.producer_pid.store(static_cast<std::uint32_t>(::getpid()), std::memory_order_relaxed);
    producer.mapping_ = std::move(mapping);
    return producer;
  }
  return Error{"no free ring among the " + std::to_string(kMaxSlots) + " slots in " + directory +
                   (problem.empty() ? "" : " (" + problem + ")"),
               {}};
}

std::byte* RingProducer::reserve(std::size_t size, std::uint32_t type) noexcept {
  RingHeader& header = mapping_.header();
  if (size < sizeof(RecordHead)) size = sizeof(RecordHead);
  if (size > header.capacity || size > std::numeric_limits<std::uint32_t>::max() - 7) {
    count_drop(DropReason::kTooLarge);
    return nullptr;
  }
  const std::uint64_t padded = (size + 7) & ~std::uint64_t{7};
  if (head_ + padded - cached_tail_ > header.capacity) {
    cached_tail_ = header.tail.load(std::memory_order_acquire);
    if (head_ + padded - cached_tail_ > header.capacity) {
      count_drop(DropReason::kRingFull);
      return nullptr;
    }
  }
  std::byte* record = mapping_.data() + (head_ & (header.capacity - 1));
  const RecordHead head{static_cast<std::uint32_t>(padded), type, seq_ + 1};
  std::memcpy(record, &head, sizeof head);
  reserved_ = static_cast<std::uint32_t>(padded);
  return record;
}

void RingProducer::commit() noexcept {
  if (reserved_ == 0) return;
  RingHeader& header = mapping_.header();
  head_ += reserved_;
  reserved_ = 0;
  ++seq_;
  header.head.store(head_, std::memory_order_release);
  header.pushed.store(seq_, std::memory_order_release);
}

void RingProducer::count_drop(DropReason reason) noexcept {
  auto& counter = mapping_.header().dropped[static_cast<std::size_t>(reason)];
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace gibbon::record
