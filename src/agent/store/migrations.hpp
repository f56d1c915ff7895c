#pragma once

#include <string>

#include "base/result.hpp"

struct sqlite3;

namespace gibbon::agent {

/// The layout that this build writes.
int newest_layout();
/// The layout of a database; 0 where it is empty. Errors: it cannot be read, or a newer build wrote it.
Result<int> layout_of(sqlite3* db);

/// Brings the database at `path` to the newest layout in one transaction, so that it is the old one whole or
/// the new one whole whatever happens in between. A database that holds an older layout is first copied to
/// backup_path(), readable by its owner alone. Errors: SQLite's, a layout from a newer build, a copy that
/// could not be made; the database stays as it was.
Status migrate(sqlite3* db, const std::string& path);
/// The same without a copy: for a database that is one.
Status migrate_copy(sqlite3* db);
/// Where the copy of a database of an old layout goes: `<path>.layout-<layout>`.
std::string backup_path(const std::string& path, int layout);

}  // namespace gibbon::agent
