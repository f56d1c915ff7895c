#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

/// SQLite's handles with owners, and its errors as values. Threads: a connection and its statements, one at a time.
namespace gibbon::logs::sqlite {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

Error error(sqlite3* database, std::string_view what);
Result<Database> open(const std::string& file, int flags);
Status execute(sqlite3* database, const char* sql);
Result<Statement> prepare(sqlite3* database, const char* sql);
/// The first column of the only row, or `otherwise` where there is no row or a NULL.
Result<std::int64_t> query_number(sqlite3* database, const char* sql, std::int64_t otherwise = 0);

/// The text or blob must live until the statement is reset.
inline void bind(sqlite3_stmt* statement, int index, std::string_view text) {
  sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}
inline void bind_blob(sqlite3_stmt* statement, int index, std::string_view bytes) {
  sqlite3_bind_blob64(statement, index, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
}
inline std::string_view bytes(sqlite3_stmt* statement, int column) {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

/// Resets a statement when a scope ends, so that it holds no lock and no borrowed bytes.
class Use {
 public:
  explicit Use(const Statement& statement) : statement_(statement.get()) {}
  Use(const Use&) = delete;
  ~Use() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  operator sqlite3_stmt*() const { return statement_; }  // NOLINT: implicit by design

 private:
  sqlite3_stmt* statement_;
};

}  // namespace gibbon::logs::sqlite
