#include "agent/store/sqlite_store.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "agent/store/migrations.hpp"
#include "base/json_text.hpp"

namespace gibbon::agent {
namespace {

/// A prepared statement that finalizes itself.
class Statement {
 public:
  Statement(sqlite3* db, const std::string& sql) {
    sqlite3_prepare_v2(db, sql.c_str(), static_cast<int>(sql.size()), &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  [[nodiscard]] bool ok() const { return statement_ != nullptr; }
  void bind(std::string_view text) {
    ++bound_;
    if (text.empty()) {
      sqlite3_bind_null(statement_, bound_);
    } else {
      sqlite3_bind_text(statement_, bound_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    }
  }
  int step() { return sqlite3_step(statement_); }
  [[nodiscard]] std::string_view text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return bytes == nullptr
               ? std::string_view()
               : std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
  }
  [[nodiscard]] std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

bool run(sqlite3* db, const char* sql) {
  return sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

std::int64_t data_version(sqlite3* db) {
  Statement query(db, "PRAGMA data_version");
  return query.ok() && query.step() == SQLITE_ROW ? query.number(0) : -1;
}

/// The columns besides id and body: unique fields and foreign keys whose parents have a table.
std::vector<std::pair<std::string, std::string>> columns_of(const Collection& collection,
                                                            const json::object* entity) {
  std::vector<std::pair<std::string, std::string>> columns;
  for (const auto& field : collection.unique)
    columns.emplace_back(field, entity == nullptr ? "" : text_of(*entity, field));
  for (const auto& foreign : collection.foreign)
    if (find_collection(foreign.collection) != nullptr)
      columns.emplace_back(foreign.field + "_id",
                           entity == nullptr ? "" : foreign_id(*entity, foreign.field));
  return columns;
}

}  // namespace

Error SqliteStore::failure(const std::string& what) const { return {what + ": " + sqlite3_errmsg(db_), ""}; }

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path) {
  // SQLite would make the file readable for all: plugin configurations hold secrets.
  if (const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600); file >= 0) {
    ::close(file);
  } else {
    return Error{"cannot open the database '" + path + "': " + std::strerror(errno), "database"};
  }
  sqlite3* db = nullptr;
  const int opened =
      sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr);
  std::unique_ptr<SqliteStore> store(new SqliteStore(db));
  const auto what = "cannot use the database '" + path + "'";
  if (opened != SQLITE_OK) return store->failure(what);
  sqlite3_busy_timeout(db, 5000);
  if (!run(db, "PRAGMA journal_mode=WAL") || !run(db, "PRAGMA synchronous=FULL") ||
      !run(db, "PRAGMA foreign_keys=ON"))
    return store->failure(what);
  if (auto migrated = migrate(db); !migrated.ok())
    return Error{what + ": " + migrated.error().message, "database"};
  auto image = store->load();
  if (!image.ok()) return Error{what + ": " + image.error().message, "database"};
  store->set_image(std::move(*image));
  return store;
}

SqliteStore::~SqliteStore() { sqlite3_close_v2(db_); }

Result<std::shared_ptr<const Image>> SqliteStore::load() {
  seen_version_ = data_version(db_);
  if (!run(db_, "BEGIN")) return failure("reading");
  auto image = std::make_shared<Image>();
  Status status;
  for (const auto& collection : collections()) {
    Statement query(db_, "SELECT id, body FROM " + collection.name);
    if (!query.ok()) {
      status = failure("reading " + collection.name);
      break;
    }
    int step = 0;
    while ((step = query.step()) == SQLITE_ROW) {
      boost::system::error_code failed;
      auto value = json::parse(query.text(1), failed);
      if (failed || !value.is_object()) {
        status =
            Error{"the row '" + std::string(query.text(0)) + "' of " + collection.name + " is damaged", ""};
        break;
      }
      image->put(collection, std::move(value.get_object()));
    }
    if (status.ok() && step != SQLITE_DONE) status = failure("reading " + collection.name);
    if (!status.ok()) break;
  }
  run(db_, "COMMIT");
  if (!status.ok()) return status.error();
  return std::shared_ptr<const Image>(std::move(image));
}

Result<std::shared_ptr<const Image>> SqliteStore::refresh(std::shared_ptr<const Image> current) {
  if (data_version(db_) == seen_version_) return current;
  return load();
}

Status SqliteStore::save(const Change& change) {
  const auto& table = change.collection->name;
  if (change.row == nullptr) {
    Statement remove(db_, "DELETE FROM " + table + " WHERE id = ?");
    remove.bind(change.id);
    return remove.step() == SQLITE_DONE ? Status() : failure("deleting from " + table);
  }
  const auto columns = columns_of(*change.collection, change.row.get());
  std::string names = "id, body", marks = "?, ?", updates = "body = excluded.body";
  for (const auto& [name, value] : columns) {
    names += ", " + name;
    marks += ", ?";
    updates += ", " + name + " = excluded." + name;
  }
  Statement insert(db_, "INSERT INTO " + table + " (" + names + ") VALUES (" + marks +
                            ") ON CONFLICT (id) DO UPDATE SET " + updates);
  insert.bind(change.id);
  insert.bind(to_text(*change.row));
  for (const auto& column : columns) insert.bind(column.second);
  return insert.step() == SQLITE_DONE ? Status() : failure("writing to " + table);
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
