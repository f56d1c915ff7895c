#include <sqlite3.h>
#include <sys/stat.h>

#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

Outcome<Row> add_service(Store& store, const std::string& id, const std::string& name) {
  return store.write([&](Transaction& t) {
    return t.insert(*find_collection("services"), json::object{{"id", id}, {"name", name}, {"port", 10000}});
  });
}

void execute(const std::string& file, const char* sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, &error), SQLITE_OK) << error;
  sqlite3_close(db);
}

TEST(SqliteStore, KeepsEverythingOverARestart) {
  const TemporaryFolder folder;
  const auto file = folder.file("gibbon.db");
  {
    const auto store = SqliteStore::open(file).value();
    ASSERT_TRUE(add_service(*store, "00000000-0000-4000-8000-000000000001", "a").ok());
  }
  const auto store = SqliteStore::open(file).value();
  const auto row = store->read()->find_by("services", "name", "a");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->at("port").as_int64(), 10000);
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(SqliteStore, SeesWhatAnotherProgramWrote) {
  const TemporaryFolder folder;
  const auto file = folder.file("gibbon.db");
  const auto store = SqliteStore::open(file).value();
  execute(file, R"(INSERT INTO services (id, name, body) VALUES ('00000000-0000-4000-8000-000000000001', 'a',
      '{"id":"00000000-0000-4000-8000-000000000001","name":"a"}'))");
  EXPECT_EQ(add_service(*store, "00000000-0000-4000-8000-000000000002", "a").error().code,
            ErrorCode::kUniqueViolation);
  EXPECT_TRUE(add_service(*store, "00000000-0000-4000-8000-000000000002", "b").ok());
  EXPECT_EQ(store->read()->rows("services").size(), 2u);
}

TEST(SqliteStore, RefusesALayoutFromANewerBuild) {
  const TemporaryFolder folder;
  const auto file = folder.file("gibbon.db");
  { const auto store = SqliteStore::open(file); }
  execute(file, "UPDATE schema_version SET version = 1000");
  const auto opened = SqliteStore::open(file);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find("version 1000"), std::string::npos) << opened.error().message;
}

TEST(SqliteStore, RefusesWhatIsNoDatabase) {
  const TemporaryFolder folder;
  std::ofstream(folder.file("gibbon.db")) << "this is not a database, and long enough to be looked at";
  EXPECT_FALSE(SqliteStore::open(folder.file("gibbon.db")).ok());
  EXPECT_FALSE(SqliteStore::open(folder.file("missing/gibbon.db")).ok());
}

}  // namespace
}  // namespace gibbon::agent::test
