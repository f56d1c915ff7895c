#include "logs/store/sqlite_store.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "logs/store/sqlite_reader.hpp"

namespace gibbon::logs {
namespace {

constexpr std::int64_t kLayout = 1;
constexpr std::uint64_t kMostRemoved = 5000;

constexpr const char* kTables = R"(
  CREATE TABLE entries(
    seq INTEGER PRIMARY KEY, key BLOB NOT NULL, id, request_key INTEGER, received_us INTEGER NOT NULL,
    timestamp_us INTEGER NOT NULL, method TEXT, host TEXT, path TEXT, status INTEGER, service TEXT, route TEXT,
    duration_ms REAL, dictionary INTEGER, json BLOB NOT NULL);
  CREATE UNIQUE INDEX entries_key ON entries(key);
  CREATE INDEX entries_id ON entries(id) WHERE id IS NOT NULL;
  CREATE INDEX entries_request ON entries(request_key) WHERE request_key IS NOT NULL;
  CREATE TABLE dictionaries(id INTEGER PRIMARY KEY, content BLOB NOT NULL);
  CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  PRAGMA user_version = 1;)";

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void bind_optional(sqlite3_stmt* statement, int index, const std::string& text) {
  if (!text.empty()) sqlite::bind(statement, index, text);
}

}  // namespace

std::int64_t request_key(std::string_view request_id) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : request_id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<std::int64_t>(hash);
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& directory, Durability durability) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) return Error{"cannot make the data directory " + directory + ": " + failure.message(), {}};
  std::unique_ptr<SqliteStore> store(new SqliteStore);
  const std::string lock_file = directory + "/lock";
  store->lock_ = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (store->lock_ < 0) return Error{"cannot open " + lock_file + ": " + std::strerror(errno), {}};
  if (::flock(store->lock_, LOCK_EX | LOCK_NB) != 0) {
    return Error{"the data directory " + directory + " is in use by another log service", {}};
  }
  store->file_ = directory + "/entries.db";
  // What was recorded is for its owner's eyes.
  const int file = ::open(store->file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return Error{"cannot open " + store->file_ + ": " + std::strerror(errno), {}};
  ::close(file);
  auto database = sqlite::open(store->file_, SQLITE_OPEN_READWRITE);
  if (!database) return database.error();
  store->database_ = std::move(database).value();
  if (auto status = store->prepare_tables(durability); !status) return status.error();
  if (auto status = store->prepare_statements(); !status) return status.error();
  if (auto status = store->load_newest_dictionary(); !status) return status.error();
  return store;
}

SqliteStore::~SqliteStore() {
  insert_.reset();
  exists_.reset();
  measure_.reset();
  database_.reset();
  if (lock_ >= 0) ::close(lock_);
}

Status SqliteStore::prepare_tables(Durability durability) {
  auto* database = database_.get();
  if (auto status = sqlite::execute(database, "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL;"); !status) {
    return Error{file_ + ": " + status.error().message, {}};
  }
  auto version = sqlite::query_number(database, "PRAGMA user_version");
  if (!version) return version.error();
  if (*version > kLayout) return Error{file_ + " was written by a newer version of gibbon", {}};
  if (*version == 0) {
    auto others = sqlite::query_number(database, "SELECT count(*) FROM sqlite_schema");
    if (!others) return others.error();
    if (*others != 0) return Error{file_ + " is not a log service's database", {}};
    const std::string tables = std::string("BEGIN;") + kTables + "COMMIT;";
    if (auto status = sqlite::execute(database, tables.c_str()); !status) return status;
  }
  if (auto status = sqlite::execute(database, durability == Durability::kFull ? "PRAGMA synchronous = FULL"
                                                                              : "PRAGMA synchronous = NORMAL");
      !status) {
    return status;
  }
  if (auto status = sqlite::execute(database, "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000;"
                                              "PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;");
      !status) {
    return status;
  }
  auto removed = sqlite::query_number(database, "SELECT value FROM meta WHERE name = 'last_seq'");
  if (!removed) return removed.error();
  auto oldest = sqlite::query_number(database, "SELECT min(seq) FROM entries", *removed + 1);
  if (!oldest) return oldest.error();
  auto newest = sqlite::query_number(database, "SELECT max(seq) FROM entries", *removed);
  if (!newest) return newest.error();
  oldest_ = static_cast<std::uint64_t>(*oldest);
  newest_ = static_cast<std::uint64_t>(*newest);
  return {};
}

Status SqliteStore::prepare_statements() {
  auto insert = sqlite::prepare(
      database_.get(),
      "INSERT INTO entries(seq, key, id, request_key, received_us, timestamp_us, method, host, path, status, service,"
      " route, duration_ms, dictionary, json) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");
  if (!insert) return insert.error();
  auto exists = sqlite::prepare(database_.get(), "SELECT 1 FROM entries WHERE key = ?1");
  if (!exists) return exists.error();
  auto measure = sqlite::prepare(database_.get(), "SELECT (page_count - freelist_count) * page_size"
                                                  " FROM pragma_page_count, pragma_freelist_count, pragma_page_size");
  if (!measure) return measure.error();
  insert_ = std::move(insert).value();
  exists_ = std::move(exists).value();
  measure_ = std::move(measure).value();
  return this->measure();
}

Result<Appended> SqliteStore::append(std::span<const Entry> entries) {
  auto* database = database_.get();
  if (auto status = sqlite::execute(database, "BEGIN IMMEDIATE"); !status) return status.error();
  Appended appended;
  appended.seqs.reserve(entries.size());
  now_us_ = now_us();
  std::uint64_t next = newest_.load() + 1;
  Status status;
  for (const auto& entry : entries) {
    bool stored = false;
    status = insert(entry, next, &stored);
    if (!status) break;
    appended.seqs.push_back(stored ? next : 0);
    if (stored) ++next;
  }
  if (status.ok() && trainer_.due()) status = renew_dictionary();
  if (status.ok()) status = sqlite::execute(database, "COMMIT");
  if (!status) {
    if (sqlite3_get_autocommit(database) == 0) (void)sqlite::execute(database, "ROLLBACK").ok();
    (void)load_newest_dictionary().ok();  // A new one went with the transaction.
    return status.error();
  }
  appended.stored = next - 1 - newest_.load();
  newest_ = next - 1;
  if (auto measured = measure(); !measured) spdlog::warn("{}", measured.error().message);  // The entries are safe.
  return appended;
}

Status SqliteStore::insert(const Entry& entry, std::uint64_t seq, bool* stored) {
  {
    const sqlite::Use exists(exists_);
    sqlite::bind_blob(exists, 1, entry.key);
    const int code = sqlite3_step(exists);
    if (code == SQLITE_ROW) return {};
    if (code != SQLITE_DONE) return sqlite::error(database_.get(), "looking for a repeat");
  }
  const sqlite::Use row(insert_);
  sqlite3_bind_int64(row, 1, static_cast<std::int64_t>(seq));
  sqlite::bind_blob(row, 2, entry.key);
  if (!entry.id.empty()) {
    double number = 0;
    const auto* end = entry.id.data() + entry.id.size();
    const auto parsed = std::from_chars(entry.id.data(), end, number);
    if (parsed.ec == std::errc{} && parsed.ptr == end) {
      sqlite3_bind_double(row, 3, number);
    } else {
      sqlite::bind(row, 3, entry.id);
    }
  }
  if (!entry.request_id.empty()) sqlite3_bind_int64(row, 4, request_key(entry.request_id));
  sqlite3_bind_int64(row, 5, now_us_);
  sqlite3_bind_int64(row, 6, entry.timestamp_us);
  bind_optional(row, 7, entry.method);
  bind_optional(row, 8, entry.host);
  bind_optional(row, 9, entry.path);
  if (entry.status != 0) sqlite3_bind_int(row, 10, entry.status);
  bind_optional(row, 11, entry.service);
  bind_optional(row, 12, entry.route);
  if (entry.duration_ms >= 0) sqlite3_bind_double(row, 13, entry.duration_ms);
  const std::string_view compressed = compressor_.compress(entry.json);
  if (!compressed.empty() && compressed.size() < entry.json.size()) {
    sqlite3_bind_int64(row, 14, dictionary_id_);
    sqlite::bind_blob(row, 15, compressed);
    trainer_.note(entry.json, compressed.size());
  } else {
    sqlite::bind(row, 15, entry.json);
  }
  if (sqlite3_step(row) != SQLITE_DONE) return sqlite::error(database_.get(), "storing an entry");
  *stored = true;
  return {};
}

Status SqliteStore::renew_dictionary() {
  const std::string content = trainer_.make();
  auto statement = sqlite::prepare(database_.get(), "INSERT INTO dictionaries(content) VALUES(?1)");
  if (!statement) return statement.error();
  sqlite::bind_blob(statement->get(), 1, content);
  if (sqlite3_step(statement->get()) != SQLITE_DONE) return sqlite::error(database_.get(), "storing a dictionary");
  dictionary_id_ = sqlite3_last_insert_rowid(database_.get());
  compressor_.use_dictionary(content);
  return {};
}

Status SqliteStore::load_newest_dictionary() {
  auto statement = sqlite::prepare(database_.get(), "SELECT id, content FROM dictionaries ORDER BY id DESC LIMIT 1");
  if (!statement) return statement.error();
  const int code = sqlite3_step(statement->get());
  if (code == SQLITE_ROW) {
    dictionary_id_ = sqlite3_column_int64(statement->get(), 0);
    compressor_.use_dictionary(sqlite::bytes(statement->get(), 1));
    trainer_.adopt();
    return {};
  }
  if (code != SQLITE_DONE) return sqlite::error(database_.get(), "reading the dictionary");
  dictionary_id_ = 0;
  compressor_.use_dictionary({});
  trainer_ = {};
  return {};
}

Status SqliteStore::measure() {
  const sqlite::Use pages(measure_);
  if (sqlite3_step(pages) != SQLITE_ROW) return sqlite::error(database_.get(), "measuring the store");
  bytes_ = static_cast<std::uint64_t>(sqlite3_column_int64(pages, 0));
  return {};
}

Result<std::uint64_t> SqliteStore::retain(const Retention& retention) {
  if (auto status = measure(); !status) return status.error();
  const std::uint64_t oldest = oldest_.load(), count = totals().entries();
  std::uint64_t keep_from = oldest;
  if (retention.max_bytes > 0 && bytes_.load() > retention.max_bytes && count > 0) {
    // As many as their share of the bytes, by the average entry.
    const double share = static_cast<double>(bytes_.load() - retention.max_bytes) / static_cast<double>(bytes_.load());
    keep_from = oldest + std::max<std::uint64_t>(1, static_cast<std::uint64_t>(share * static_cast<double>(count)));
  }
  if (retention.max_age.count() > 0) {
    const std::int64_t limit = now_us() - std::chrono::microseconds(retention.max_age).count();
    auto statement = sqlite::prepare(database_.get(), "SELECT seq FROM entries WHERE seq >= ?1 AND received_us >= ?2"
                                                      " ORDER BY seq LIMIT 1");
    if (!statement) return statement.error();
    sqlite3_bind_int64(statement->get(), 1, static_cast<std::int64_t>(oldest));
    sqlite3_bind_int64(statement->get(), 2, limit);
    const int code = sqlite3_step(statement->get());
    if (code != SQLITE_ROW && code != SQLITE_DONE) return sqlite::error(database_.get(), "looking for old entries");
    const std::uint64_t first_young =
        code == SQLITE_ROW ? static_cast<std::uint64_t>(sqlite3_column_int64(statement->get(), 0)) : newest_.load() + 1;
    keep_from = std::max(keep_from, first_young);
  }
  keep_from = std::min({keep_from, oldest + kMostRemoved, newest_.load() + 1});
  if (keep_from <= oldest) return 0;
  const std::string last = std::to_string(keep_from - 1);
  const std::string sql = "BEGIN IMMEDIATE; DELETE FROM entries WHERE seq <= " + last +
                          "; INSERT OR REPLACE INTO meta VALUES('last_seq', " + last + "); COMMIT;";
  if (auto status = sqlite::execute(database_.get(), sql.c_str()); !status) {
    if (sqlite3_get_autocommit(database_.get()) == 0) (void)sqlite::execute(database_.get(), "ROLLBACK").ok();
    return status.error();
  }
  oldest_ = keep_from;
  if (auto status = measure(); !status) return status.error();
  return keep_from - oldest;
}

Result<std::unique_ptr<StoreReader>> SqliteStore::reader() { return SqliteReader::open(file_); }

Totals SqliteStore::totals() const {
  // Oldest first: read the other way round, a removal between the two could make the count negative.
  const std::uint64_t oldest = oldest_.load(), newest = newest_.load();
  return {oldest, newest, bytes_.load()};
}

}  // namespace gibbon::logs
