#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "logs/logs.hpp"
#include "logs/store/compression.hpp"
#include "logs/store/sqlite.hpp"
#include "logs/store/store.hpp"

namespace gibbon::logs {

/// Entries in one SQLite file, `entries.db` in the data directory, in WAL mode.
///
/// Table `entries`: seq (the primary key), key (unique), what entries are filtered by, and the JSON, compressed
/// (compression.hpp; `dictionary` names the row of table `dictionaries`, 0 none, NULL plain text).
/// Table `meta`: `last_seq`, the highest number ever removed, so that none is given twice.
/// `user_version` is the layout's version; a newer file is refused.
class SqliteStore final : public Store {
 public:
  /// Makes the directory and the file where they are missing, and locks the directory.
  /// Errors: no access, not our file, in use by another service.
  static Result<std::unique_ptr<SqliteStore>> open(const std::string& directory, Durability durability);
  ~SqliteStore() override;

  Result<Appended> append(std::span<const Entry> entries) override;
  Result<std::uint64_t> retain(const Retention& retention) override;
  Result<std::unique_ptr<StoreReader>> reader() override;
  [[nodiscard]] Totals totals() const override;

 private:
  SqliteStore() = default;
  Status prepare_tables(Durability durability);
  Status prepare_statements();
  Status insert(const Entry& entry, std::uint64_t seq, bool* stored);
  Status renew_dictionary();
  Status load_newest_dictionary();
  Status measure();

  std::string file_;
  int lock_ = -1;
  sqlite::Database database_;
  sqlite::Statement insert_, exists_, measure_;
  EntryCompressor compressor_;
  DictionaryTrainer trainer_;
  std::int64_t dictionary_id_ = 0;
  std::int64_t now_us_ = 0;  ///< When the batch under way was received.
  std::atomic<std::uint64_t> oldest_{1}, newest_{0}, bytes_{0};
};

/// What `request_id` is found by: the 64-bit FNV-1a hash of its text.
std::int64_t request_key(std::string_view request_id);

}  // namespace gibbon::logs
