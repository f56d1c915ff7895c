#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

/// Counters that all workers share: a table of fixed size in shared memory (`counters`). It outlives every worker and
/// every reload, and goes with the shared directory when the gateway stops.
///
/// A key's hash names a bucket, and within it a cell. Nothing is locked, and nothing is half done for long:
/// - Each word of a cell carries the cell's generation in its low 16 bits. The value's word is the cell's own
///   generation; another word counts only where it has the same one. Who takes a cell makes the next generation by one
///   compare-and-swap of the value's word, after which no slower process can change anything in it.
/// - A bucket's word says which of its cells are in use, and changes with each cell that is taken. A new counter is
///   written into a cell that is not in use, and comes into use by a compare-and-swap of the bucket's word, which fails
///   where any other counter came or went meanwhile. So there is never a second cell of one key.
/// - A process that is killed in between leaves a cell that is not in use: free for the next one.
namespace gibbon::gateway {

struct CounterPage {
  static constexpr std::uint32_t kMagic = 0x53525443;  // "CTRS"
  static constexpr std::uint32_t kVersion = 1;
  static constexpr std::uint32_t kCellsPerBucket = 7;
  /// 12 MiB in all, as Kong's kong_rate_limiting_counters: room for 344,057 counters.
  static constexpr std::uint32_t kBuckets = 12 * 1024 * 1024 / 256 - 1;

  struct Cell {
    std::atomic<std::uint64_t> value;    ///< 48 bits, signed, above the generation.
    std::atomic<std::uint64_t> key[2];   ///< 48 bits of the key's hash each.
    std::atomic<std::uint64_t> ends_ms;  ///< 48 bits: when it ends, by the caller's clock.
  };
  struct alignas(256) Bucket {
    std::atomic<std::uint64_t> state;  ///< A bit for each cell in use, below a number that each change counts up.
    std::uint64_t unused[3];
    Cell cells[kCellsPerBucket];
  };

  std::uint32_t magic, version;
  Bucket buckets[kBuckets];
};
static_assert(sizeof(CounterPage) == 12 * 1024 * 1024);

/// The table mapped. Threads: any. Times are milliseconds of any one clock that all callers share and that never goes
/// back, such as CLOCK_MONOTONIC.
class CounterTable {
 public:
  /// The values that a counter can have; where a sum would leave them, it stays at the bound.
  static constexpr std::int64_t kMost = (std::int64_t{1} << 47) - 1, kLeast = -kMost - 1;

  /// Makes the table where it is missing, and anew where another version made it. Errors: no room, no permission.
  static Result<CounterTable> open(const std::string& directory);
  CounterTable(CounterTable&& other) noexcept : page_(other.page_) { other.page_ = nullptr; }
  CounterTable& operator=(CounterTable&&) = delete;
  ~CounterTable();

  /// Adds, and returns the sum. A counter that is not there, or has ended, begins at 0 and ends `ttl_ms` from now.
  /// `space`: whose keys these are. No allocation, no system call.
  std::int64_t increment(std::string_view space, std::string_view key, std::int64_t by, std::int64_t ttl_ms,
                         std::int64_t now_ms) noexcept;
  /// 0 where it is not there, or has ended.
  [[nodiscard]] std::int64_t get(std::string_view space, std::string_view key, std::int64_t now_ms) const noexcept;

  /// 128 bits: of both texts.
  static std::array<std::uint64_t, 2> hash(std::string_view space, std::string_view key) noexcept;

 private:
  explicit CounterTable(CounterPage* page) : page_(page) {}
  CounterPage* page_;
};

}  // namespace gibbon::gateway
