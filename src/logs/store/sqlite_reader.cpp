#include "logs/store/sqlite_reader.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "logs/entry_key.hpp"
#include "logs/store/sqlite_store.hpp"

namespace gibbon::logs {

Result<std::unique_ptr<StoreReader>> SqliteReader::open(const std::string& file) {
  auto database = sqlite::open(file, SQLITE_OPEN_READWRITE);
  if (!database) return database.error();
  std::unique_ptr<SqliteReader> reader(new SqliteReader);
  reader->database_ = std::move(database).value();
  auto* handle = reader->database_.get();
  if (auto status = sqlite::execute(handle, "PRAGMA query_only = 1; PRAGMA cache_size = -16384"); !status) {
    return status.error();
  }
  const struct {
    sqlite::Statement& statement;
    const char* sql;
  } statements[] = {
      {reader->page_, "SELECT seq, dictionary, json FROM entries WHERE seq < ?1 ORDER BY seq DESC"},
      {reader->after_, "SELECT seq, dictionary, json FROM entries WHERE seq > ?1 ORDER BY seq"},
      {reader->by_key_, "SELECT seq, dictionary, json FROM entries WHERE key = ?1"},
      {reader->by_id_, "SELECT seq, dictionary, json FROM entries WHERE id = ?1 ORDER BY seq DESC LIMIT 1"},
      {reader->by_request_, "SELECT seq, dictionary, json FROM entries WHERE request_key = ?1 ORDER BY seq DESC"},
      {reader->dictionary_, "SELECT content FROM dictionaries WHERE id = ?1"}};
  for (const auto& [statement, sql] : statements) {
    auto prepared = sqlite::prepare(handle, sql);
    if (!prepared) return prepared.error();
    statement = std::move(prepared).value();
  }
  return std::unique_ptr<StoreReader>(std::move(reader));
}

Result<std::vector<StoredEntry>> SqliteReader::page(std::uint64_t before_seq, std::size_t limit,
                                                    std::size_t max_bytes) {
  const sqlite::Use statement(page_);
  constexpr auto kLast = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  sqlite3_bind_int64(statement, 1, static_cast<std::int64_t>(std::min(before_seq, kLast)));
  return rows(statement, limit, max_bytes);
}

Result<std::vector<StoredEntry>> SqliteReader::after(std::uint64_t after_seq, std::size_t limit,
                                                     std::size_t max_bytes) {
  const sqlite::Use statement(after_);
  constexpr auto kLast = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  sqlite3_bind_int64(statement, 1, static_cast<std::int64_t>(std::min(after_seq, kLast)));
  return rows(statement, limit, max_bytes);
}

Result<std::optional<StoredEntry>> SqliteReader::find(std::string_view id) {
  {
    const std::string key = key_of_entry_id(id);
    const sqlite::Use statement(by_key_);
    sqlite::bind_blob(statement, 1, key);
    auto found = rows(statement, 1, std::numeric_limits<std::size_t>::max());
    if (!found) return found.error();
    if (!found->empty()) return std::optional(std::move(found->front()));
  }
  {
    const sqlite::Use statement(by_id_);
    double number = 0;
    const auto parsed = std::from_chars(id.data(), id.data() + id.size(), number);
    if (parsed.ec == std::errc{} && parsed.ptr == id.data() + id.size()) {
      sqlite3_bind_double(statement, 1, number);
    } else {
      sqlite::bind(statement, 1, id);
    }
    auto found = rows(statement, 1, std::numeric_limits<std::size_t>::max());
    if (!found) return found.error();
    if (!found->empty()) return std::optional(std::move(found->front()));
  }
  const sqlite::Use statement(by_request_);
  sqlite3_bind_int64(statement, 1, request_key(id));
  const std::string quoted = '"' + std::string(id) + '"';
  int code;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    auto found = row(statement);
    if (!found) return found.error();
    // The key is a hash: what it finds must hold the id itself.
    if (found->json.find(quoted) != std::string::npos) return std::optional(std::move(found).value());
  }
  if (code != SQLITE_DONE) return sqlite::error(database_.get(), "looking for an entry");
  return std::optional<StoredEntry>();
}

Result<std::vector<StoredEntry>> SqliteReader::rows(sqlite3_stmt* statement, std::size_t limit,
                                                    std::size_t max_bytes) {
  std::vector<StoredEntry> out;
  std::size_t bytes = 0;
  while (out.size() < limit && bytes < max_bytes) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) break;
    if (code != SQLITE_ROW) return sqlite::error(database_.get(), "reading entries");
    auto entry = row(statement);
    if (!entry) return entry.error();
    bytes += entry->json.size();
    out.push_back(std::move(entry).value());
  }
  return out;
}

Result<StoredEntry> SqliteReader::row(sqlite3_stmt* statement) {
  StoredEntry entry;
  entry.seq = static_cast<std::uint64_t>(sqlite3_column_int64(statement, 0));
  const std::string_view bytes = sqlite::bytes(statement, 2);
  if (sqlite3_column_type(statement, 1) == SQLITE_NULL) {
    entry.json = bytes;
    return entry;
  }
  auto used = dictionary(sqlite3_column_int64(statement, 1));
  if (!used) return used.error();
  if (!decompressor_.decompress(bytes, *used, &entry.json)) {
    return Error{"entry " + std::to_string(entry.seq) + " is damaged", {}};
  }
  return entry;
}

Result<const ZSTD_DDict*> SqliteReader::dictionary(std::int64_t id) {
  if (id == 0) return static_cast<const ZSTD_DDict*>(nullptr);
  auto& loaded = dictionaries_[id];
  if (!loaded) {
    const sqlite::Use statement(dictionary_);
    sqlite3_bind_int64(statement, 1, id);
    if (sqlite3_step(statement) != SQLITE_ROW) return Error{"dictionary " + std::to_string(id) + " is missing", {}};
    loaded = EntryDecompressor::load(sqlite::bytes(statement, 0));
  }
  return static_cast<const ZSTD_DDict*>(loaded.get());
}

}  // namespace gibbon::logs
