#include "agent/store/sqlite_store.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "agent/store/migrations.hpp"
#include "base/json_text.hpp"

namespace gibbon::agent {
namespace {

constexpr const char* kForgetKeys = "DELETE FROM unique_keys WHERE collection = ? AND id = ?";

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
  // SQLite would make the file readable for all: plugin configurations hold secrets. What root makes belongs
  // to whoever owns the folder, since the gateway may run as another user.
  int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  struct stat folder {};
  if (file >= 0 && ::geteuid() == 0 &&
      ::stat(std::filesystem::absolute(path).parent_path().c_str(), &folder) == 0)
    (void)!::fchown(file, folder.st_uid, folder.st_gid);
  if (file < 0 && errno == EEXIST) file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return Error{"cannot open the database '" + path + "': " + std::strerror(errno), "database"};
  ::close(file);
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

Result<SqliteStore::Inspection> SqliteStore::inspect(const std::string& path,
                                                     std::shared_ptr<const Collections> collections) {
  const auto what = "cannot use the database '" + path + "'";
  // Where nobody uses it, SQLite would still leave files beside it, if it may.
  const bool in_use = ::access((path + "-wal").c_str(), F_OK) == 0;
  std::string uri = "file:";
  for (const char c : path) uri += c == '%' ? "%25" : c == '?' ? "%3f" : c == '#' ? "%23" : std::string(1, c);
  uri += in_use ? "?mode=ro" : "?mode=ro&immutable=1";
  sqlite3* file = nullptr;
  const int opened = sqlite3_open_v2(uri.c_str(), &file, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
  const SqliteStore source(file, collections);
  if (opened != SQLITE_OK) return source.failure(what);
  sqlite3_busy_timeout(file, 5000);
  sqlite3* memory = nullptr;
  sqlite3_open_v2(":memory:", &memory, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  SqliteStore copy(memory, collections);
  auto* backup = sqlite3_backup_init(memory, "main", file, "main");
  if (backup == nullptr) return copy.failure(what);
  sqlite3_backup_step(backup, -1);
  if (sqlite3_backup_finish(backup) != SQLITE_OK) return copy.failure(what);
  Inspection found;
  const auto layout = layout_of(memory);
  if (!layout.ok()) return Error{what + ": " + layout.error().message, "database"};
  found.layout = *layout;
  found.newest_layout = newest_layout();
  if (!run(memory, "PRAGMA foreign_keys=ON")) return copy.failure(what);
  if (auto migrated = migrate_copy(memory); !migrated.ok())
    return Error{what + ": " + migrated.error().message, "database"};
  auto image = copy.read_all(std::move(collections));
  if (!image.ok()) return Error{what + ": " + image.error().message, "database"};
  found.image = std::move(*image);
  return found;
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

Result<std::shared_ptr<const Image>> SqliteStore::begin(std::shared_ptr<const Image> current) {
  if (!run(db_, "BEGIN IMMEDIATE")) return failure("writing");
  auto image = refresh(std::move(current));
  if (!image.ok()) cancel();
  return image;
}

void SqliteStore::cancel() { run(db_, "ROLLBACK"); }

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
  if (change.row == nullptr)
    return execute("DELETE FROM entities WHERE collection = ? AND id = ?", {collection, id});
  Status status = execute(
      "INSERT INTO entities (collection, id, body) VALUES (?, ?, ?)"
      " ON CONFLICT (collection, id) DO UPDATE SET body = excluded.body",
      {collection, id, to_text(*change.row)});
  if (status.ok()) status = execute(kForgetKeys, {collection, id});
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
        {collection, id, foreign.field, foreign.collection, parent,
         foreign.cascades ? "cascades" : "refuses"});
  }
  return status;
}

Status SqliteStore::persist(const std::vector<Change>& changes) {
  Status status;
  // Changes that come together may exchange their unique values: first all of them give up what they held.
  for (const auto& change : changes) {
    if (!status.ok() || changes.size() == 1) break;
    status = execute(kForgetKeys, {change.collection->name, change.id});
  }
  for (const auto& change : changes) {
    if (!status.ok()) break;
    status = save(change);
  }
  if (status.ok() && !run(db_, "COMMIT")) status = failure("writing");
  if (!status.ok()) cancel();
  return status;
}

}  // namespace gibbon::agent
