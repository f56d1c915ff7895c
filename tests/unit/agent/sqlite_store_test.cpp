#include <sqlite3.h>
#include <sys/stat.h>

#include "agent/store/migrations.hpp"
#include "layouts.hpp"
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

Outcome<Row> add_service(Store& store, const std::string& id, const std::string& name) {
  return store.write([&](Transaction& t) {
    return t.insert(Collections::core()->at("services"),
                    json::object{{"id", id}, {"name", name}, {"port", 10000}});
  });
}

TEST(SqliteStore, KeepsEverythingOverARestart) {
  const TemporaryFolder folder;
  const auto file = folder.file("gibbon.db");
  {
    const auto store = SqliteStore::open(file, Collections::core()).value();
    ASSERT_TRUE(add_service(*store, "00000000-0000-4000-8000-000000000001", "a").ok());
  }
  const auto store = SqliteStore::open(file, Collections::core()).value();
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
  const auto store = SqliteStore::open(file, Collections::core()).value();
  execute(file, R"(INSERT INTO entities VALUES ('services', '00000000-0000-4000-8000-000000000001',
      '{"id":"00000000-0000-4000-8000-000000000001","name":"a"}');
      INSERT INTO unique_keys VALUES ('services', 'name', 'a', '00000000-0000-4000-8000-000000000001'))");
  EXPECT_EQ(add_service(*store, "00000000-0000-4000-8000-000000000002", "a").error().code,
            ErrorCode::kUniqueViolation);
  EXPECT_TRUE(add_service(*store, "00000000-0000-4000-8000-000000000002", "b").ok());
  EXPECT_EQ(store->read()->rows("services").size(), 2u);
}

TEST(SqliteStore, BringsAnOldLayoutAlongAndKeepsACopy) {
  const TemporaryFolder folder;
  const auto file = folder.file("gibbon.db");
  make_layout(file, 1);
  const auto opened = SqliteStore::open(file, Collections::core());
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  const auto image = (*opened)->read();
  EXPECT_EQ(text_of(*image->find_by("services", "name", "a"), "id"), "00000000-0000-4000-8000-000000000001");
  ASSERT_EQ(image->rows("routes").size(), 1u);
  ASSERT_EQ(image->rows("plugins").size(), 1u);
  // What held before still holds: names and cache keys are unique, references are kept.
  EXPECT_EQ(add_service(**opened, "00000000-0000-4000-8000-000000000002", "a").error().code,
            ErrorCode::kUniqueViolation);
  const auto removed = (*opened)->write([](Transaction& t) {
    return t.remove(Collections::core()->at("routes"), "00000000-0000-4000-8000-000000000011");
  });
  EXPECT_TRUE(removed.ok());
  const auto gone = (*opened)->write([](Transaction& t) {
    return t.remove(Collections::core()->at("services"), "00000000-0000-4000-8000-000000000001");
  });
  EXPECT_TRUE(gone.ok());
  EXPECT_TRUE((*opened)->read()->rows("plugins").empty());

  sqlite3* copy = nullptr;
  ASSERT_EQ(sqlite3_open((file + ".layout-1").c_str(), &copy), SQLITE_OK);
  int services = 0;
  sqlite3_exec(
      copy, "SELECT count(*) FROM services JOIN schema_version ON version = 1",
      [](void* out, int, char** values, char**) {
        *static_cast<int*>(out) = std::stoi(values[0]);
        return 0;
      },
      &services, nullptr);
  sqlite3_close(copy);
  EXPECT_EQ(services, 2);
  struct stat status {};
  ASSERT_EQ(::stat((file + ".layout-1").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(SqliteStore, ReadsEveryLayoutThatEverWas) {
  for (int layout = 0; layout <= newest_layout(); ++layout) {
    const TemporaryFolder folder;
    const auto file = folder.file("gibbon.db");
    make_layout(file, layout);
    const auto found = SqliteStore::inspect(file, Collections::core());
    ASSERT_TRUE(found.ok()) << layout << ": " << found.error().message;
    EXPECT_EQ(found->layout, layout);
    const auto opened = SqliteStore::open(file, Collections::core());
    ASSERT_TRUE(opened.ok()) << layout << ": " << opened.error().message;
    const bool filled = layout > 0;
    for (const auto& image : {found->image, (*opened)->read()}) {
      EXPECT_EQ(image->rows("services").size(), filled ? 2u : 0u);
      EXPECT_EQ(image->rows("routes").size(), filled ? 1u : 0u);
      EXPECT_EQ(image->rows("plugins").size(), filled ? 1u : 0u);
    }
    EXPECT_EQ(std::filesystem::exists(backup_path(file, layout)), filled && layout < newest_layout());
  }
}

TEST(SqliteStore, InspectingChangesNothing) {
  const TemporaryFolder folder;
  const auto file = folder.file("gibbon.db");
  make_layout(file, 1);
  const auto read = [&] {
    std::ifstream stream(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  const auto before = read();
  ASSERT_TRUE(SqliteStore::inspect(file, Collections::core()).ok());
  EXPECT_EQ(read(), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  EXPECT_FALSE(SqliteStore::inspect(folder.file("none.db"), Collections::core()).ok());
  EXPECT_FALSE(std::filesystem::exists(folder.file("none.db")));

  // Beside one who uses it, it sees the last that was written.
  const auto store = SqliteStore::open(file, Collections::core()).value();
  ASSERT_TRUE(add_service(*store, "00000000-0000-4000-8000-000000000009", "new").ok());
  const auto found = SqliteStore::inspect(file, Collections::core());
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->image->rows("services").size(), 3u);
}

/// The database itself knows what belongs together, also what the gateway does not know at the moment.
TEST(SqliteStore, KeepsAndDeletesEntitiesOfPluginsThatAreNotEnabled) {
  using namespace gibbon::fields;
  const TemporaryFolder folder;
  const auto file = folder.file("gibbon.db");
  const auto with_keys = std::make_shared<const Collections>(
      std::vector<Entity>{{.name = "keys",
                           .schema = record({{"id", string().uuid()},
                                             {"consumer", foreign("consumers").on_delete_cascade()},
                                             {"key", string().unique()}}),
                           .endpoint_key = "key"}});
  const json::object consumer{{"id", "00000000-0000-4000-8000-000000000001"}, {"username", "u"}};
  {
    const auto store = SqliteStore::open(file, with_keys).value();
    const auto filled = store->write([&](Transaction& t) -> Outcome<Row> {
      EXPECT_TRUE(t.insert(with_keys->at("consumers"), consumer).ok());
      return t.insert(with_keys->at("keys"), {{"id", "00000000-0000-4000-8000-000000000002"},
                                              {"consumer", {{"id", consumer.at("id")}}},
                                              {"key", "k"}});
    });
    ASSERT_TRUE(filled.ok()) << filled.error().message;
  }
  const auto store = SqliteStore::open(file, Collections::core()).value();
  EXPECT_EQ(store->read()->rows("consumers").size(), 1u);
  ASSERT_TRUE(store->adopt(with_keys).ok());
  EXPECT_EQ(store->read()->rows("keys").size(), 1u);
  ASSERT_TRUE(store->adopt(Collections::core()).ok());
  ASSERT_TRUE(store
                  ->write([&](Transaction& t) {
                    return t.remove(Collections::core()->at("consumers"), text_of(consumer, "id"));
                  })
                  .ok());
  ASSERT_TRUE(store->adopt(with_keys).ok());
  EXPECT_TRUE(store->read()->rows("keys").empty());
}

TEST(SqliteStore, RefusesALayoutFromANewerBuild) {
  const TemporaryFolder folder;
  const auto file = folder.file("gibbon.db");
  { const auto store = SqliteStore::open(file, Collections::core()); }
  execute(file, "UPDATE schema_version SET version = 1000");
  const auto opened = SqliteStore::open(file, Collections::core());
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find("version 1000"), std::string::npos) << opened.error().message;
}

TEST(SqliteStore, RefusesWhatIsNoDatabase) {
  const TemporaryFolder folder;
  std::ofstream(folder.file("gibbon.db")) << "this is not a database, and long enough to be looked at";
  EXPECT_FALSE(SqliteStore::open(folder.file("gibbon.db"), Collections::core()).ok());
  EXPECT_FALSE(SqliteStore::open(folder.file("missing/gibbon.db"), Collections::core()).ok());
}

}  // namespace
}  // namespace gibbon::agent::test
