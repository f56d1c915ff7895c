#include "logs/store/sqlite.hpp"

namespace gibbon::logs::sqlite {

Error error(sqlite3* database, std::string_view what) {
  return {std::string(what) + ": " + (database != nullptr ? sqlite3_errmsg(database) : "out of memory"), {}};
}

Result<Database> open(const std::string& file, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (code != SQLITE_OK) return error(raw, "cannot open " + file);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, 10'000);
  return database;
}

Status execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error(database, sql);
  return {};
}

Result<Statement> prepare(sqlite3* database, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) != SQLITE_OK) {
    return error(database, sql);
  }
  return Statement(raw);
}

Result<std::int64_t> query_number(sqlite3* database, const char* sql, std::int64_t otherwise) {
  auto statement = prepare(database, sql);
  if (!statement) return statement.error();
  const int code = sqlite3_step(statement->get());
  if (code == SQLITE_DONE) return otherwise;
  if (code != SQLITE_ROW) return error(database, sql);
  if (sqlite3_column_type(statement->get(), 0) == SQLITE_NULL) return otherwise;
  return sqlite3_column_int64(statement->get(), 0);
}

}  // namespace gibbon::logs::sqlite
