#include "agent/store/sqlite_store.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "agent/store/migrations.hpp"
#include "base/json_text.hpp"

namespace gibbon::agent {
namespace {

bool run(sqlite3* db, const char* sql) {
  return sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

std::int64_t data_version(sqlite3* db) {
  std::int64_t version = -1;
  sqlite3_exec(
      db, "PRAGMA data_version",
      [](void* out, int, char** values, char**) {
        *static_cast<std::int64_t*>(out) = std::atoll(values[0]);
        return 0;
      },
      &version, nullptr);
  return version;
}

}  // namespace

/// A prepared statement that finalizes itself.
class SqliteStore::Statement {
 public:
  Statement(sqlite3* db, std::string_view sql) {
    sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  [[nodiscard]] bool ok() const { return statement_ != nullptr; }
  /// The bytes must live until the next step.
  void bind(int place, std::string_view text) {
    sqlite3_bind_text(statement_, place, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  int step() { return sqlite3_step(statement_); }
  void reset() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  [[nodiscard]] std::string_view text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return bytes == nullptr
               ? std::string_view()
               : std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

SqliteStore::SqliteStore(sqlite3* db, std::shared_ptr<const Collections> collections)
    : Store(std::move(collections)), db_(db) {}

Error SqliteStore::failure(const std::string& what) const { return {what + ": " + sqlite3_errmsg(db_), ""}; }

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path,
                                                       std::shared_ptr<const Collections> collections) {
  // SQLite would make the file readable for all: plugin configurations hold secrets.
  if (const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600); file >= 0) {
    ::close(file);
  } else {
    return Error{"cannot open the database '" + path + "': " + std::strerror(errno), "database"};
  }
  sqlite3* db = nullptr;
  const int opened =
      sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr);
  std::unique_ptr<SqliteStore> store(new SqliteStore(db, collections));
  const auto what = "cannot use the database '" + path + "'";
  if (opened != SQLITE_OK) return store->failure(what);
  sqlite3_busy_timeout(db, 5000);
  if (!run(db, "PRAGMA journal_mode=WAL") || !run(db, "PRAGMA synchronous=FULL") ||
      !run(db, "PRAGMA foreign_keys=ON") || !run(db, "PRAGMA recursive_triggers=ON"))
    return store->failure(what);
  if (auto migrated = migrate(db, path); !migrated.ok())
    return Error{what + ": " + migrated.error().message, "database"};
  auto image = store->read_all(std::move(collections));
  if (!image.ok()) return Error{what + ": " + image.error().message, "database"};
  store->set_image(std::move(*image));
  return store;
}

SqliteStore::~SqliteStore() {
  statements_.clear();
  sqlite3_close_v2(db_);
}

Result<std::shared_ptr<const Image>> SqliteStore::read_all(std::shared_ptr<const Collections> collections) {
  seen_version_ = data_version(db_);
  Image image(std::move(collections));
  Statement query(db_, "SELECT collection, id, body FROM entities");
  if (!query.ok()) return failure("reading");
  int step = 0;
  while ((step = query.step()) == SQLITE_ROW) {
    const auto* collection = image.collections().find(query.text(0));
    if (collection == nullptr) continue;
    boost::system::error_code failed;
    auto value = json::parse(query.text(2), failed);
    if (failed || !value.is_object())
      return Error{"the row '" + std::string(query.text(1)) + "' of " + collection->name + " is damaged", ""};
    image.put(*collection, std::move(value.get_object()));
  }
  if (step != SQLITE_DONE) return failure("reading");
  return std::make_shared<const Image>(std::move(image));
}

Result<std::shared_ptr<const Image>> SqliteStore::refresh(std::shared_ptr<const Image> current) {
  if (data_version(db_) == seen_version_) return current;
  return read_all(current->shared_collections());
}

Status SqliteStore::execute(const char* sql, std::initializer_list<std::string_view> values) {
  auto& statement = statements_[sql];
  if (statement == nullptr) statement = std::make_unique<Statement>(db_, sql);
  if (!statement->ok()) {
    statements_.erase(sql);
    return failure("writing");
  }
  int place = 0;
  for (const auto value : values) statement->bind(++place, value);
  const bool done = statement->step() == SQLITE_DONE;
  Status status;
  if (!done) status = failure("writing");
  statement->reset();
  return status;
}

Status SqliteStore::save(const Change& change) {
  const std::string_view collection = change.collection->name, id = change.id;
  if (change.row == nullptr) return execute("DELETE FROM entities WHERE collection = ? AND id = ?", {collection, id});
  Status status = execute(
      "INSERT INTO entities (collection, id, body) VALUES (?, ?, ?)"
      " ON CONFLICT (collection, id) DO UPDATE SET body = excluded.body",
      {collection, id, to_text(*change.row)});
  if (status.ok()) status = execute("DELETE FROM unique_keys WHERE collection = ? AND id = ?", {collection, id});
  if (status.ok()) status = execute("DELETE FROM parents WHERE collection = ? AND id = ?", {collection, id});
  for (const auto& [field, value] : unique_keys(*change.collection, *change.row)) {
    if (!status.ok()) break;
    status = execute("INSERT INTO unique_keys (collection, id, field, value) VALUES (?, ?, ?, ?)",
                     {collection, id, field, value});
  }
  for (const auto& foreign : change.collection->foreign) {
    const auto parent = foreign_id(*change.row, foreign.field);
    if (!status.ok() || parent.empty()) continue;
    status = execute(
        "INSERT INTO parents (collection, id, field, parent_collection, parent_id, cascades)"
        " VALUES (?, ?, ?, ?, ?, ? = 'cascades')",
        {collection, id, foreign.field, foreign.collection, parent, foreign.cascades ? "cascades" : "refuses"});
  }
  return status;
}

Status SqliteStore::persist(const std::vector<Change>& changes) {
  if (!run(db_, "BEGIN IMMEDIATE")) return failure("writing");
  Status status;
  if (data_version(db_) != seen_version_)
    status = Error{"the database was changed by another program; try again", ""};
  for (const auto& change : changes) {
    if (!status.ok()) break;
    status = save(change);
  }
  if (status.ok() && !run(db_, "COMMIT")) status = failure("writing");
  if (!status.ok()) run(db_, "ROLLBACK");
  return status;
}

}  // namespace gibbon::agent
