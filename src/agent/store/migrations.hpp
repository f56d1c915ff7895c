#pragma once

#include <string>

#include "base/result.hpp"

struct sqlite3;

namespace gibbon::agent {

/// Brings the database at `path` to the layout that this build knows, step by step, each in a transaction of its
/// own. A database that holds an older layout is first copied to `<path>.layout-<version>`, readable by its owner
/// alone. Errors: SQLite's, a layout from a newer build, a copy that could not be made; nothing is lost then.
Status migrate(sqlite3* db, const std::string& path);

}  // namespace gibbon::agent
