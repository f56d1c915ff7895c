#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "gibbon/node.hpp"

/// What plugins count: a file in shared memory for each worker slot (`metrics.<slot>`, beside `ring.<slot>`), written by
/// the slot's worker alone and read by the agent. A worker that takes a slot over goes on with its figures.
///
/// Layout: one page of head, then series one behind the other, each a `SeriesHead`, its values, and its names: of the
/// plugin, of the family, and the labels' values, each a 32-bit length and bytes. `used` moves when a series is whole:
/// a worker that dies in the middle of one leaves nothing of it.
namespace gibbon::record {

struct MetricHeader {
  static constexpr std::uint32_t kMagic = 0x5443524d;  // "MRCT"
  static constexpr std::uint32_t kVersion = 1;
  std::uint32_t magic, version;
  std::atomic<std::uint64_t> used;    ///< Bytes of series.
  std::atomic<std::uint64_t> errors;  ///< Figures that found no room.
};

struct SeriesHead {
  std::uint32_t size, values, labels, unused;  ///< size: bytes of all of it, a multiple of 8.
};

/// How much a slot's series may take: 16 MiB, which is allocated as it is used.
inline constexpr std::uint64_t kMetricBytes = 16 * 1024 * 1024;

/// One of a plugin's families, as a writer knows it.
struct MetricSource {
  std::string plugin;
  MetricFamily family;
  /// A counter has one value, a double's bits. A histogram: how many were at most each bound and above the one before,
  /// how many were above all of them, and the sum, a double's bits.
  [[nodiscard]] std::size_t values() const {
    return family.type == MetricFamily::Type::kCounter ? 1 : family.buckets.size() + 2;
  }
};

/// The slot's worker's side. Threads: one.
class MetricWriter {
 public:
  /// Makes the file where it is missing, and anew where it is damaged or another version made it. The caller holds the
  /// slot. Errors: no room, no permission.
  static Result<MetricWriter> open(const std::string& directory, std::uint32_t slot);
  MetricWriter(MetricWriter&& other) noexcept;
  MetricWriter& operator=(MetricWriter&&) = delete;
  ~MetricWriter();

  /// Adds to a counter, or puts a value into a histogram. `labels`: one for each of the family's; another number is an
  /// error that is counted, as is a series for which there is no room. A series that exists costs no allocation and no
  /// system call.
  void add(const MetricSource& source, std::span<const std::string_view> labels, double value) noexcept;
  [[nodiscard]] std::uint64_t errors() const;

 private:
  MetricWriter(std::byte* base, int file);
  void index(std::uint64_t hash, std::uint32_t offset);
  void index_all();
  [[nodiscard]] std::byte* find(const MetricSource& source, std::span<const std::string_view> labels,
                                std::uint64_t hash) const noexcept;
  std::byte* append(const MetricSource& source, std::span<const std::string_view> labels, std::uint64_t hash);
  bool reserve(std::uint64_t bytes);

  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t offset = 0;  ///< Of the series, from the file's beginning; 0: free.
  };
  std::byte* base_;
  int file_;
  std::uint64_t allocated_ = 0;
  std::vector<Slot> slots_;  ///< A power of two, at most half full.
  std::size_t series_ = 0;
};

/// One series, as a reader sees it. Views live as long as the reader.
struct MetricSeries {
  std::string_view plugin, family;
  std::vector<std::string_view> labels;
  std::vector<std::uint64_t> values;  ///< See MetricSource::values().
};

/// The agent's side: all of a slot's series, as of the moment that it is opened. Threads: one.
class MetricReader {
 public:
  /// Errors: there is no such file, or it is damaged.
  static Result<MetricReader> open(const std::string& path);
  MetricReader(MetricReader&& other) noexcept;
  MetricReader& operator=(MetricReader&&) = delete;
  ~MetricReader();
  /// False at the end, and where the rest is damaged.
  bool next(MetricSeries* series);
  [[nodiscard]] std::uint64_t errors() const;

 private:
  MetricReader(const std::byte* base, std::uint64_t bytes);
  const std::byte* base_;
  std::uint64_t bytes_, end_, position_;
};

/// The metrics files of a directory.
std::vector<std::string> metric_files(const std::string& directory);

}  // namespace gibbon::record
