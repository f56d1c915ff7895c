#include "agent/store/migrations.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>
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

    // One table for all kinds of entities, since plugins bring kinds of their own. Uniqueness and references are
    // rows beside it; references may be made in any order within a transaction.
    "CREATE TABLE entities (collection TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,"
    " PRIMARY KEY (collection, id)) WITHOUT ROWID;"
    "CREATE TABLE unique_keys (collection TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,"
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
    " UNION ALL SELECT 'plugins', 'instance_name', instance_name, id FROM plugins WHERE instance_name IS NOT NULL"
    " UNION ALL SELECT 'plugins', '@', json_extract(body, '$.name') || ':' || coalesce(route_id, '') || ':' ||"
    "  coalesce(service_id, '') || '::', id FROM plugins;"
    "INSERT INTO parents SELECT 'routes', id, 'service', 'services', service_id, 0 FROM routes"
    "  WHERE service_id IS NOT NULL"
    " UNION ALL SELECT 'plugins', id, 'service', 'services', service_id, 1 FROM plugins WHERE service_id IS NOT NULL"
    " UNION ALL SELECT 'plugins', id, 'route', 'routes', route_id, 1 FROM plugins WHERE route_id IS NOT NULL;"
    "DROP TABLE plugins; DROP TABLE routes; DROP TABLE services;",
};

Error failure(sqlite3* db) { return {sqlite3_errmsg(db), ""}; }

int version_of(sqlite3* db) {
  int version = -1;
  sqlite3_exec(
      db, "SELECT version FROM schema_version",
      [](void* out, int, char** values, char**) {
        *static_cast<int*>(out) = std::stoi(values[0]);
        return 0;
      },
      &version, nullptr);
  return version;
}

/// Copies the database to `path`, a file that does not exist or that holds an earlier copy.
Status back_up(sqlite3* db, const std::string& path) {
  ::unlink(path.c_str());
  const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) return Error{"cannot make the backup " + path + ": " + std::strerror(errno), ""};
  ::close(file);
  sqlite3_stmt* copy = nullptr;
  sqlite3_prepare_v2(db, "VACUUM INTO ?", -1, &copy, nullptr);
  sqlite3_bind_text(copy, 1, path.c_str(), -1, SQLITE_TRANSIENT);
  const bool done = copy != nullptr && sqlite3_step(copy) == SQLITE_DONE;
  Status status;
  if (!done) status = Error{"cannot make the backup " + path + ": " + sqlite3_errmsg(db), ""};
  sqlite3_finalize(copy);
  return status;
}

}  // namespace

Status migrate(sqlite3* db, const std::string& path) {
  const auto run = [&](const std::string& sql) {
    return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  };
  if (!run("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL);"
           "INSERT INTO schema_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version);"))
    return failure(db);
  constexpr int kNewest = static_cast<int>(std::size(kSteps));
  const int found = version_of(db);
  if (found > kNewest)
    return Error{"its layout is version " + std::to_string(found) + ", this build knows versions up to " +
                     std::to_string(kNewest) + ": use the newer build that wrote it",
                 ""};
  if (found > 0 && found < kNewest)
    if (auto copied = back_up(db, path + ".layout-" + std::to_string(found)); !copied.ok()) return copied;
  for (int version = found; version < kNewest; ++version) {
    if (run("BEGIN IMMEDIATE;" + std::string(kSteps[version]) +
            "UPDATE schema_version SET version = " + std::to_string(version + 1) + ";COMMIT"))
      continue;
    auto error = failure(db);
    run("ROLLBACK");
    return error;
  }
  return {};
}

}  // namespace gibbon::agent
