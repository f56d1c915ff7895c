#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// Where entries live. Every store passes tests/unit/logs/store_contract_test.cpp.
namespace gibbon::logs {

/// One entry on its way in: its JSON as it is to be returned, and what it is found by.
struct Entry {
  std::string json;
  std::string key;         ///< Entries with equal keys are one; the first stays. Bytes, at most a few dozen.
  std::string entry_id;    ///< Empty where the entry came with an `id` alone.
  std::string id;          ///< `id`, a number in its shortest form; empty where there is none.
  std::string request_id;
  std::int64_t timestamp_us = 0;  ///< Since the epoch: when the exchange began, or else when it was received.
  std::string method, host, path, service, route;
  std::int32_t status = 0;        ///< 0: unknown.
  double duration_ms = -1;        ///< -1: unknown.
};

struct StoredEntry {
  std::uint64_t seq = 0;  ///< 1, 2, 3 ... in the order of storing, without gaps; never used again.
  std::string json;
};

struct Appended {
  std::vector<std::uint64_t> seqs;  ///< One per entry: its number, or 0 where it was a repeat.
  std::uint64_t stored = 0;
};

struct Totals {
  std::uint64_t oldest_seq = 0, newest_seq = 0;  ///< What is kept lies between, both included.
  std::uint64_t bytes = 0;                       ///< On disk.
  [[nodiscard]] std::uint64_t entries() const { return newest_seq + 1 - oldest_seq; }
};

struct Retention {
  std::uint64_t max_bytes = 0;    ///< 0: no limit.
  std::chrono::seconds max_age{0};  ///< 0: no limit.
};

/// Reads what was stored. Threads: one reader per thread; readers and the writer do not hinder each other.
class StoreReader {
 public:
  virtual ~StoreReader() = default;
  /// Newest first, those before `before_seq`; at most `limit`, and fewer where they exceed `max_bytes` of JSON (but
  /// always one, if there is one).
  virtual Result<std::vector<StoredEntry>> page(std::uint64_t before_seq, std::size_t limit, std::size_t max_bytes) = 0;
  /// Oldest first, those after `after_seq`, with the same bounds.
  virtual Result<std::vector<StoredEntry>> after(std::uint64_t after_seq, std::size_t limit,
                                                 std::size_t max_bytes) = 0;
  /// The newest entry with this entry_id, id or request_id.
  virtual Result<std::optional<StoredEntry>> find(std::string_view id) = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  /// Stores what is new of `entries`, all or nothing. The numbers follow the order of the batch.
  /// Threads: the writer's alone. Durability: when it returns, as the store was opened.
  virtual Result<Appended> append(std::span<const Entry> entries) = 0;
  /// Removes the oldest entries beyond the limits, at most a few thousand per call. Returns how many; 0: all done.
  /// Threads: the writer's alone.
  virtual Result<std::uint64_t> retain(const Retention& retention) = 0;
  /// Threads: any. The reader must not outlive the store.
  virtual Result<std::unique_ptr<StoreReader>> reader() = 0;
  /// Threads: any.
  [[nodiscard]] virtual Totals totals() const = 0;
};

}  // namespace gibbon::logs
