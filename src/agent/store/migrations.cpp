#include "agent/store/migrations.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>

namespace gibbon::agent {
namespace {

/// Step N brings layout N to N + 1. Steps that were released are never changed: a new one is added.
constexpr const char* kSteps[] = {
    "CREATE TABLE services (id TEXT PRIMARY KEY, name TEXT UNIQUE, body TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE routes (id TEXT PRIMARY KEY, name TEXT UNIQUE,"
    " service_id TEXT REFERENCES services (id), body TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE plugins (id TEXT PRIMARY KEY, instance_name TEXT UNIQUE,"
    " service_id TEXT REFERENCES services (id) ON DELETE CASCADE,"
    " route_id TEXT REFERENCES routes (id) ON DELETE CASCADE, body TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX routes_service ON routes (service_id);"
    "CREATE INDEX plugins_service ON plugins (service_id);"
    "CREATE INDEX plugins_route ON plugins (route_id);",

    // One table for all kinds of entities, since plugins bring kinds of their own. Uniqueness and references
    // are rows beside it; references may be made in any order within a transaction.
    "CREATE TABLE entities (collection TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,"
    " PRIMARY KEY (collection, id)) WITHOUT ROWID;"
    "CREATE TABLE unique_keys (collection TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, id TEXT "
    "NOT NULL,"
    " PRIMARY KEY (collection, field, value),"
    " FOREIGN KEY (collection, id) REFERENCES entities (collection, id) ON DELETE CASCADE"
    " DEFERRABLE INITIALLY DEFERRED) WITHOUT ROWID;"
    "CREATE INDEX unique_keys_entity ON unique_keys (collection, id);"
    "CREATE TABLE parents (collection TEXT NOT NULL, id TEXT NOT NULL, field TEXT NOT NULL,"
    " parent_collection TEXT NOT NULL, parent_id TEXT NOT NULL, cascades INTEGER NOT NULL,"
    " PRIMARY KEY (collection, id, field),"
    " FOREIGN KEY (collection, id) REFERENCES entities (collection, id) ON DELETE CASCADE"
    " DEFERRABLE INITIALLY DEFERRED,"
    " FOREIGN KEY (parent_collection, parent_id) REFERENCES entities (collection, id)"
    " DEFERRABLE INITIALLY DEFERRED) WITHOUT ROWID;"
    "CREATE INDEX parents_parent ON parents (parent_collection, parent_id);"
    "CREATE TRIGGER delete_children BEFORE DELETE ON entities BEGIN"
    " DELETE FROM entities WHERE (collection, id) IN (SELECT collection, id FROM parents"
    "  WHERE parent_collection = OLD.collection AND parent_id = OLD.id AND cascades); END;"
    "INSERT INTO entities SELECT 'services', id, body FROM services"
    " UNION ALL SELECT 'routes', id, body FROM routes UNION ALL SELECT 'plugins', id, body FROM plugins;"
    "INSERT INTO unique_keys SELECT 'services', 'name', name, id FROM services WHERE name IS NOT NULL"
    " UNION ALL SELECT 'routes', 'name', name, id FROM routes WHERE name IS NOT NULL"
    " UNION ALL SELECT 'plugins', 'instance_name', instance_name, id FROM plugins WHERE instance_name IS NOT "
    "NULL"
    " UNION ALL SELECT 'plugins', '@', json_extract(body, '$.name') || ':' || coalesce(route_id, '') || ':' "
    "||"
    "  coalesce(service_id, '') || '::', id FROM plugins;"
    "INSERT INTO parents SELECT 'routes', id, 'service', 'services', service_id, 0 FROM routes"
    "  WHERE service_id IS NOT NULL"
    " UNION ALL SELECT 'plugins', id, 'service', 'services', service_id, 1 FROM plugins WHERE service_id IS "
    "NOT NULL"
    " UNION ALL SELECT 'plugins', id, 'route', 'routes', route_id, 1 FROM plugins WHERE route_id IS NOT NULL;"
    "DROP TABLE plugins; DROP TABLE routes; DROP TABLE services;",
};

Error failure(sqlite3* db) { return {sqlite3_errmsg(db), ""}; }

bool run(sqlite3* db, const std::string& sql) {
  return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
}

/// The whole number that a query gives; `otherwise` where it gives none. Nothing: it cannot be run.
std::optional<int> ask(sqlite3* db, const char* query, int otherwise) {
  const auto take = [](void* out, int, char** values, char**) {
    *static_cast<int*>(out) = values[0] == nullptr ? 0 : std::atoi(values[0]);
    return 0;
  };
  int answer = otherwise;
  if (sqlite3_exec(db, query, take, &answer, nullptr) != SQLITE_OK) return std::nullopt;
  return answer;
}

Status sync(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool done = file >= 0 && ::fsync(file) == 0;
  Status status;
  if (!done) status = Error{path + ": " + std::strerror(errno), ""};
  if (file >= 0) ::close(file);
  return status;
}

/// Copies the database to `path`, where an earlier copy may be: it is replaced when the new one is safe on
/// disk.
Status back_up(sqlite3* db, const std::string& path) {
  const std::string draft = path + ".new";
  const auto failed = [&](const std::string& why) {
    ::unlink(draft.c_str());
    return Error{"cannot make the backup " + path + ": " + why, ""};
  };
  ::unlink(draft.c_str());
  const int file = ::open(draft.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) return failed(std::strerror(errno));
  ::close(file);
  sqlite3_stmt* copy = nullptr;
  sqlite3_prepare_v2(db, "VACUUM INTO ?", -1, &copy, nullptr);
  sqlite3_bind_text(copy, 1, draft.c_str(), -1, SQLITE_TRANSIENT);
  const bool done = copy != nullptr && sqlite3_step(copy) == SQLITE_DONE;
  const std::string why = done ? "" : sqlite3_errmsg(db);
  sqlite3_finalize(copy);
  if (!done) return failed(why);
  if (auto synced = sync(draft, O_RDONLY); !synced.ok()) return failed(synced.error().message);
  if (::rename(draft.c_str(), path.c_str()) != 0) return failed(std::strerror(errno));
  const auto folder = std::filesystem::path(path).parent_path();
  return sync(folder.empty() ? "." : folder.string(), O_RDONLY | O_DIRECTORY);
}

}  // namespace

int newest_layout() { return static_cast<int>(std::size(kSteps)); }

std::string backup_path(const std::string& path, int layout) {
  return path + ".layout-" + std::to_string(layout);
}

Result<int> layout_of(sqlite3* db) {
  const auto known =
      ask(db, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'", 0);
  if (!known) return failure(db);
  if (*known == 0) return 0;
  const auto layout = ask(db, "SELECT version FROM schema_version", 0);
  if (!layout) return failure(db);
  if (*layout > newest_layout())
    return Error{"its layout is version " + std::to_string(*layout) + ", this build knows versions up to " +
                     std::to_string(newest_layout()) + ": use the newer build that wrote it",
                 ""};
  return *layout;
}

Status migrate_copy(sqlite3* db) {
  if (!run(db, "BEGIN IMMEDIATE")) return failure(db);
  const auto give_up = [&](const Error& error) {
    run(db, "ROLLBACK");
    return error;
  };
  // Asked again: another program may have been faster.
  const auto found = layout_of(db);
  if (!found.ok()) return give_up(found.error());
  for (int layout = *found; layout < newest_layout(); ++layout)
    if (!run(db, kSteps[layout])) return give_up(failure(db));
  const bool done = *found == newest_layout() ||
                    (run(db,
                         "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL);"
                         "DELETE FROM schema_version;") &&
                     run(db, "INSERT INTO schema_version VALUES (" + std::to_string(newest_layout()) + ")"));
  if (!done || !run(db, "COMMIT")) return give_up(failure(db));
  return {};
}

Status migrate(sqlite3* db, const std::string& path) {
  const auto found = layout_of(db);
  if (!found.ok()) return found.error();
  if (*found == newest_layout()) return {};
  if (*found > 0)
    if (auto copied = back_up(db, backup_path(path, *found)); !copied.ok()) return copied;
  return migrate_copy(db);
}

}  // namespace gibbon::agent
