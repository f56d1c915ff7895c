#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "record/ring.hpp"

/// The spool's bytes on disk, as docs/spool-format.md describes them: little-endian, whatever the machine.
namespace gibbon::agent::spool_format {

inline constexpr std::size_t kSegmentHeadBytes = 32;
inline constexpr std::size_t kRecordHeadBytes = 64;
inline constexpr std::size_t kLedgerSlotBytes = 512;
inline constexpr std::size_t kLossSlots = 16;
/// No entry is longer; a greater length is damage.
inline constexpr std::uint32_t kMaxPayload = 1u << 30;

struct RecordInfo {
  std::uint64_t seq = 0;          ///< 1, 2, 3 ... in this spool.
  std::uint64_t ring_id = 0;      ///< RingHeader::id and RecordHead::seq of the record that the entry came from.
  std::uint64_t ring_seq = 0;
  std::uint64_t captured_ms = 0;  ///< When the entry was taken from the ring, milliseconds since the epoch.
  std::array<std::uint8_t, 16> entry_id{};
};

/// Bytes that a record takes in a segment: its head, its payload, and zeros up to a multiple of 8.
constexpr std::uint64_t record_bytes(std::uint64_t payload) { return kRecordHeadBytes + ((payload + 7) & ~std::uint64_t{7}); }

std::string segment_head(std::uint64_t first_seq);
/// The first number of the segment; nothing where this is no segment's head.
std::optional<std::uint64_t> read_segment_head(std::string_view bytes);

void append_record(const RecordInfo& info, std::string_view payload, std::string& out);

enum class Found { kRecord, kIncomplete, kDamaged };
/// Reads the record at the start of `bytes`. kIncomplete: `bytes` ends within what looks like one; `*size` is then
/// how many bytes it takes. kRecord: `*size` is its size with padding.
Found read_record(std::string_view bytes, RecordInfo* info, std::string_view* payload, std::uint64_t* size);

/// The spool's counts, as of `acked_seq`: every number up to it is finished.
struct Ledger {
  std::uint64_t generation = 0;
  std::uint64_t acked_seq = 0;
  std::uint64_t delivered = 0;
  std::uint64_t lost[record::kLossReasons] = {};
};
static_assert(record::kLossReasons <= kLossSlots);

std::string ledger_slot(const Ledger& ledger);
std::optional<Ledger> read_ledger_slot(std::string_view bytes);

}  // namespace gibbon::agent::spool_format
