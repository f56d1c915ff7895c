#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "agent/store/store.hpp"

struct sqlite3;

namespace gibbon::agent {

/// Entities in one SQLite file, as JSON text, with their unique keys and what they belong to in tables beside
/// them, so that the database itself refuses what must not be. Entities of collections that are not known (a
/// plugin's that is not enabled) stay as they are. WAL, synchronous=FULL.
class SqliteStore : public Store {
 public:
  /// Opens or makes the file (mode 0600) and migrates it. Errors: no access, not a database, made by a newer
  /// Gibbon.
  static Result<std::unique_ptr<SqliteStore>> open(const std::string& path,
                                                   std::shared_ptr<const Collections> collections);
  /// What a database holds, and the layout that it has.
  struct Inspection {
    int layout = 0, newest_layout = 0;
    std::shared_ptr<const Image> image;
  };
  /// Reads a database without changing it, whatever its layout: an old one is brought along in memory, which
  /// shows whether that will work. Errors: as open().
  static Result<Inspection> inspect(const std::string& path, std::shared_ptr<const Collections> collections);
  ~SqliteStore() override;
  [[nodiscard]] bool writable() const override { return true; }

 private:
  SqliteStore(sqlite3* db, std::shared_ptr<const Collections> collections);
  Result<std::shared_ptr<const Image>> begin(std::shared_ptr<const Image> current) override;
  Status persist(const std::vector<Change>& changes) override;
  void cancel() override;
  Result<std::shared_ptr<const Image>> refresh(std::shared_ptr<const Image> current) override;
  Result<std::shared_ptr<const Image>> read_all(std::shared_ptr<const Collections> collections) override;
  Status save(const Change& change);
  [[nodiscard]] Error failure(const std::string& what) const;

  class Statement;
  /// Runs a statement that gives nothing.
  Status execute(const char* sql, std::initializer_list<std::string_view> values);

  sqlite3* db_;
  std::map<std::string_view, std::unique_ptr<Statement>> statements_;  ///< By their text, which is constant.
  std::int64_t seen_version_ = -1;  ///< SQLite's data_version: it changes when another connection writes.
};

}  // namespace gibbon::agent
