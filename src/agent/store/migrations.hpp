#pragma once

#include "base/result.hpp"

struct sqlite3;

namespace gibbon::agent {

/// Brings the database to the layout that this build knows, step by step, each in a transaction of its own.
/// Errors: SQLite's, or a layout from a newer build.
Status migrate(sqlite3* db);

}  // namespace gibbon::agent
