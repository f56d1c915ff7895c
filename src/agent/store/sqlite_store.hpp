#pragma once

#include <memory>
#include <string>

#include "agent/store/store.hpp"

struct sqlite3;

namespace gibbon::agent {

/// Entities in one SQLite file: a table per collection, with its unique fields and foreign keys as columns,
/// so that the database itself refuses what must not be; the entity as JSON text beside them. WAL,
/// synchronous=FULL.
class SqliteStore : public Store {
 public:
  /// Opens or makes the file (mode 0600) and migrates it. Errors: no access, not a database, made by a newer
  /// Gibbon.
  static Result<std::unique_ptr<SqliteStore>> open(const std::string& path);
  ~SqliteStore() override;
  [[nodiscard]] bool writable() const override { return true; }

 private:
  explicit SqliteStore(sqlite3* db) : db_(db) {}
  Status persist(const std::vector<Change>& changes) override;
  Result<std::shared_ptr<const Image>> refresh(std::shared_ptr<const Image> current) override;
  Result<std::shared_ptr<const Image>> load();
  Status save(const Change& change);
  [[nodiscard]] Error failure(const std::string& what) const;

  sqlite3* db_;
  std::int64_t seen_version_ = -1;  ///< SQLite's data_version: it changes when another connection writes.
};

}  // namespace gibbon::agent
