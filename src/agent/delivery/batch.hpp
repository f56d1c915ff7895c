#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gibbon::agent {

class RingSource;
using Clock = std::chrono::steady_clock;

inline constexpr std::size_t kMaxBatchEntries = 1000;
inline constexpr std::size_t kMaxBatchBytes = 1 << 20;

/// An entry in a batch, and who waits to hear what became of it: the spool where `spool_seq` is set, else the ring
/// where `ring` is set, else nobody any more.
struct EntryRef {
  RingSource* ring = nullptr;
  std::uint64_t ring_id = 0, ring_seq = 0;
  std::uint64_t spool_seq = 0;
  std::uint64_t captured_ms = 0;  ///< When it was taken from the ring, milliseconds since the epoch.
  std::uint32_t offset = 0, length = 0;
  std::array<std::uint8_t, 16> id{};
  [[nodiscard]] bool unsafe() const { return ring != nullptr && spool_seq == 0; }
  [[nodiscard]] bool settled() const { return ring == nullptr && spool_seq == 0; }
};

/// Encoded entries, one behind the other, each followed by a newline: a slice of `bytes` is an NDJSON body.
struct Batch {
  std::string bytes;
  std::vector<EntryRef> entries;
  Clock::time_point created;  ///< When the first entry came.
  bool sealed = false;        ///< A send points into `bytes`: nothing may be added.

  [[nodiscard]] bool full() const {
    return sealed || entries.size() >= kMaxBatchEntries || bytes.size() >= kMaxBatchBytes;
  }
  [[nodiscard]] std::string_view text(const EntryRef& entry) const {
    return std::string_view(bytes).substr(entry.offset, entry.length);
  }
  /// The entry whose text stands at the end of `bytes` from `offset` on. Adds the newline.
  EntryRef& add(std::size_t offset) {
    EntryRef& entry = entries.emplace_back();
    entry.offset = static_cast<std::uint32_t>(offset);
    entry.length = static_cast<std::uint32_t>(bytes.size() - offset);
    bytes += '\n';
    return entry;
  }
  /// All entries of another batch, behind these.
  void append(const Batch& other) {
    const auto shift = static_cast<std::uint32_t>(bytes.size());
    bytes += other.bytes;
    for (EntryRef entry : other.entries) {
      entry.offset += shift;
      entries.push_back(entry);
    }
  }
  void clear() {
    bytes.clear();
    entries.clear();
    sealed = false;
  }
};

}  // namespace gibbon::agent
