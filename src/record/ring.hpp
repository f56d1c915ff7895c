#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"

/// The ring between one nginx worker and the agent: a file in shared memory (tmpfs), one producer, one consumer.
///
/// Layout: one page of `RingHeader`, then `capacity` bytes of data, which both sides map twice in a row, so that a
/// record never wraps. Positions only grow; `position % capacity` is the offset. Records are 8-byte aligned and
/// begin with `RecordHead`.
///
/// Invariants: tail <= head <= tail + capacity. The producer alone writes `head`, after the bytes; the consumer
/// alone writes `tail`, when a record is acknowledged by its endpoint or safe in the spool. A producer that dies in
/// the middle of a record has not moved `head`: the record never was.
///
/// A ring belongs to a slot, not to a process: the worker that holds the file's lock (flock) writes to it, and a
/// new worker takes over the ring of a dead one with what is still in it. The file has been allocated in full
/// (posix_fallocate), so that a full tmpfs shows at start, not as SIGBUS later.
namespace gibbon::record {

inline constexpr std::uint32_t kRingMagic = 0x474E5247;  // "GRNG"
inline constexpr std::uint32_t kRingVersion = 3;
inline constexpr std::uint32_t kMaxSlots = 256;

/// Why a record did not get into the ring.
enum class DropReason : std::uint32_t { kRingFull, kTooLarge, kCount };

/// Why a record that was in the ring never reached its endpoint.
enum class LossReason : std::uint32_t {
  kDamaged,        ///< In the ring or in the spool.
  kUnknownPlugin,  ///< No snapshot that is left knows the plugin of the record.
  kEncodeFailed,   ///< The plugin's encode() threw.
  kRejected,       ///< The endpoint refused the entry for good.
  kSpoolFull,
  kSpoolFailed,    ///< The disk failed, and the ring could not hold it any longer.
  kCount
};
inline constexpr std::size_t kLossReasons = static_cast<std::size_t>(LossReason::kCount);

/// What became of a number of records.
struct Outcomes {
  std::uint64_t delivered = 0;
  std::uint64_t spooled = 0;
  std::uint64_t lost[kLossReasons] = {};
  [[nodiscard]] std::uint64_t total_lost() const {
    std::uint64_t sum = 0;
    for (std::uint64_t n : lost) sum += n;
    return sum;
  }
  [[nodiscard]] std::uint64_t total() const { return delivered + spooled + total_lost(); }
};

/// What became of the records that left this ring, as of `tail`. Written by the agent alone.
struct RingLedger {
  std::uint64_t tail = 0;
  std::uint64_t records = 0;    ///< Records that left the ring: outcomes.total(), and the last one's seq.
  Outcomes outcomes;
};

struct RingHeader {
  std::uint32_t magic, version;
  std::uint64_t capacity;  ///< Bytes; a power of two and a multiple of the page size.
  /// Random, from when the ring was first made: (id, seq) names a record for good, also after a reboot has emptied
  /// shared memory and slots and sequence numbers have begun again. A ring that replaces another takes its id over.
  std::uint64_t id;

  alignas(64) std::atomic<std::uint64_t> head;   ///< Producer's.
  /// Records written, ever. Stored after `head`: a producer that dies between the two leaves it one behind.
  std::atomic<std::uint64_t> pushed;
  std::atomic<std::uint64_t> dropped[static_cast<std::size_t>(DropReason::kCount)];
  std::atomic<std::uint32_t> producer_pid;       ///< For people; the lock is what counts.

  alignas(64) std::atomic<std::uint64_t> tail;   ///< Consumer's.
  /// The agent writes the ledger that is not current, then makes it current: a killed agent leaves a whole one.
  std::atomic<std::uint32_t> current_ledger;
  RingLedger ledgers[2];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && sizeof(RingHeader) <= 4096);

/// The type of an item that stands for records that cannot be read any more. No record has it.
inline constexpr std::uint32_t kDamagedRecord = 0;

/// The start of every record in the ring.
struct RecordHead {
  std::uint32_t size;  ///< Of the whole record with its padding: a multiple of 8.
  std::uint32_t type;  ///< See record.hpp.
  std::uint64_t seq;   ///< 1, 2, 3 ... in this ring, over all workers that wrote to it.
};

/// The file mapped, by either side. Movable owner of mapping and descriptor.
class RingMapping {
 public:
  RingMapping() = default;
  RingMapping(RingMapping&& other) noexcept;
  RingMapping& operator=(RingMapping&& other) noexcept;
  ~RingMapping();

  /// Maps an existing ring. Errors: not a ring, another version, or a damaged header.
  static Result<RingMapping> open(const std::string& path);
  /// Makes a new ring at `path` (which must not exist; it appears there whole). `capacity` in bytes is rounded up
  /// to a power of two. `predecessor`: an empty ring whose id, positions and counts the new one takes over.
  /// Errors: no room in the file system, with what to change.
  static Result<RingMapping> create(const std::string& path, std::uint64_t capacity,
                                    const RingHeader* predecessor = nullptr);

  [[nodiscard]] RingHeader& header() const { return *static_cast<RingHeader*>(base_); }
  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] int descriptor() const { return fd_; }
  explicit operator bool() const { return base_ != nullptr; }

 private:
  void* base_ = nullptr;
  std::byte* data_ = nullptr;
  std::uint64_t capacity_ = 0;
  int fd_ = -1;
};

/// The worker's side. Threads: the event thread alone. No call but claim() makes a system call.
class RingProducer {
 public:
  /// Takes the first free slot in `directory`: `ring.N`, made where it is missing, taken over where its last
  /// worker is gone. A ring of another size is replaced once it is empty. The lock lasts as long as the process.
  static Result<RingProducer> claim(const std::string& directory, std::uint64_t capacity);

  /// Room for a record of `size` bytes (without padding), its RecordHead filled in; null when the ring is full or
  /// the record could never fit, which is counted. Write into it, then commit().
  std::byte* reserve(std::size_t size, std::uint32_t type) noexcept;
  /// Makes the reserved record visible.
  void commit() noexcept;
  /// Counts a record that the caller could not make.
  void count_drop(DropReason reason) noexcept;

  [[nodiscard]] std::uint32_t slot() const { return slot_; }
  [[nodiscard]] RingHeader& header() const { return mapping_.header(); }

 private:
  RingMapping mapping_;
  std::uint32_t slot_ = 0;
  std::uint64_t head_ = 0, cached_tail_ = 0, seq_ = 0;
  std::uint32_t reserved_ = 0;
};

/// The agent's side. Threads: the delivery thread alone.
class RingConsumer {
 public:
  /// `slot` is for messages and the spool's bookkeeping. Starts at the ledger's tail.
  RingConsumer(RingMapping mapping, std::uint32_t slot);

  struct Item {
    std::uint64_t end = 0;      ///< The position behind the record: what release() takes.
    std::uint64_t seq = 0;      ///< Of the record; of the last one where there are several.
    std::uint64_t records = 1;  ///< More than one only for kDamagedRecord.
    std::uint32_t type = 0;
    std::span<const std::byte> bytes;  ///< With its RecordHead. Lives until it is released. Empty where damaged.
  };
  /// The next record that was not read yet; false when there is none. Behind a damaged one (size or number out of
  /// bounds) nothing up to head can be found again: it comes as one item of type kDamagedRecord that stands for all
  /// of them, to be released as lost in its turn.
  bool next(Item* item) noexcept;

  /// Moves the tail to `end` and adds to the ledger what became of the records up to there, in one step.
  void release(std::uint64_t end, const Outcomes& outcomes) noexcept;

  [[nodiscard]] std::uint64_t unreleased_bytes() const noexcept;
  /// Records ever written to this ring.
  [[nodiscard]] std::uint64_t captured_records() const noexcept;
  [[nodiscard]] std::uint64_t unreleased_records() const noexcept;
  [[nodiscard]] RingLedger ledger() const noexcept;
  [[nodiscard]] const RingHeader& header() const { return mapping_.header(); }
  [[nodiscard]] std::uint32_t slot() const { return slot_; }
  /// No process holds the producer's lock. Takes the lock for a moment, in which a new worker passes the slot by.
  [[nodiscard]] bool abandoned() const noexcept;

 private:
  RingMapping mapping_;
  std::uint32_t slot_;
  std::uint64_t cursor_ = 0, cached_head_ = 0, last_seq_ = 0;
};

}  // namespace gibbon::record
