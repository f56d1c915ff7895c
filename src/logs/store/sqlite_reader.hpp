#pragma once

#include <map>
#include <memory>
#include <string>

#include "logs/store/compression.hpp"
#include "logs/store/sqlite.hpp"
#include "logs/store/store.hpp"

namespace gibbon::logs {

/// A connection of its own, which sees what was committed when a call began.
class SqliteReader final : public StoreReader {
 public:
  static Result<std::unique_ptr<StoreReader>> open(const std::string& file);

  Result<std::vector<StoredEntry>> page(std::uint64_t before_seq, std::size_t limit, std::size_t max_bytes) override;
  Result<std::vector<StoredEntry>> after(std::uint64_t after_seq, std::size_t limit, std::size_t max_bytes) override;
  Result<std::optional<StoredEntry>> find(std::string_view id) override;

 private:
  SqliteReader() = default;
  Result<std::vector<StoredEntry>> rows(sqlite3_stmt* statement, std::size_t limit, std::size_t max_bytes);
  /// The row that the statement stands on: columns seq, dictionary, json.
  Result<StoredEntry> row(sqlite3_stmt* statement);
  Result<const ZSTD_DDict*> dictionary(std::int64_t id);

  sqlite::Database database_;
  sqlite::Statement page_, after_, by_key_, by_id_, by_request_, dictionary_;
  EntryDecompressor decompressor_;
  std::map<std::int64_t, EntryDecompressor::Dictionary> dictionaries_;
};

}  // namespace gibbon::logs
