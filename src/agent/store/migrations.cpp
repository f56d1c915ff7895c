#include "agent/store/migrations.hpp"

#include <sqlite3.h>

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

}  // namespace

Status migrate(sqlite3* db) {
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
