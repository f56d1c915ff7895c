// The disk breaks at every single operation in turn: the database is what it was or what it was to be, and
// what was answered with yes is there.
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "agent/store/migrations.hpp"
#include "faulty_vfs.hpp"
#include "layouts.hpp"
#include "store_contract.hpp"

namespace gibbon::agent::test {
namespace {

using Fault = FaultyDisk::Fault;
/// Hundreds of databases are made: the real disk need not be waited for.
constexpr const char* kMemory = "/dev/shm";
constexpr Fault kFaults[] = {Fault::kKilled, Fault::kPowerLoss, Fault::kFull};

std::set<std::string> ids(const Image& image) {
  std::set<std::string> all;
  for (const auto& collection : image.collections())
    for (const auto& [id, row] : image.rows(collection.name)) all.insert(collection.name + " " + id);
  return all;
}

class Faults : public ::testing::TestWithParam<Fault> {};

TEST_P(Faults, AMigrationIsDoneOrNotBegun) {
  const auto expected = [] {
    const TemporaryFolder folder(kMemory);
    make_layout(folder.file("gibbon.db"), 1);
    return ids(*SqliteStore::open(folder.file("gibbon.db"), Collections::core()).value()->read());
  }();
  ASSERT_EQ(expected.size(), 4u);
  int broken = 0, old = 0;
  for (bool broke = true; broke; ++broken) {
    const TemporaryFolder folder(kMemory);
    const auto file = folder.file("gibbon.db");
    make_layout(file, 1);
    {
      FaultyDisk disk(GetParam(), broken);
      bool opened = false;
      {
        const auto store = SqliteStore::open(file, Collections::core());
        opened = store.ok();
      }
      broke = disk.broke();
      disk.lose();
      ASSERT_TRUE(opened || broke);
    }
    const auto found = SqliteStore::inspect(file, Collections::core());
    ASSERT_TRUE(found.ok()) << "at operation " << broken << ": " << found.error().message;
    EXPECT_EQ(ids(*found->image), expected) << "at operation " << broken;
    const bool migrated = found->layout == newest_layout();
    EXPECT_TRUE(migrated || found->layout == 1);
    old += migrated ? 0 : 1;
    // Where it is migrated, or the copy has its name, the copy is whole.
    if (migrated || std::filesystem::exists(backup_path(file, 1))) {
      const auto copy = SqliteStore::inspect(backup_path(file, 1), Collections::core());
      ASSERT_TRUE(copy.ok()) << copy.error().message;
      EXPECT_EQ(copy->layout, 1);
      EXPECT_EQ(ids(*copy->image), expected);
    }
    // The next start goes on from there.
    const auto again = SqliteStore::open(file, Collections::core());
    ASSERT_TRUE(again.ok()) << "at operation " << broken << ": " << again.error().message;
    EXPECT_EQ(ids(*(*again)->read()), expected);
    EXPECT_FALSE(std::filesystem::exists(backup_path(file, 1) + ".new"));
  }
  EXPECT_GT(old, 5) << "the disk never broke before the migration was done";
  EXPECT_GT(broken, old);
}

/// One change that touches many entities: a consumer goes with all that belongs to it, another comes.
Outcome<Row> exchange(Store& store) {
  return store.write([](Transaction& t) -> Outcome<Row> {
    if (auto gone = t.remove(all_collections()->at("notes"), id_of(1)); !gone.ok()) return gone;
    if (auto gone = t.remove(all_collections()->at("consumers"), id_of(1)); !gone.ok()) return gone;
    return t.insert(all_collections()->at("consumers"), entity_of(all_collections()->at("consumers"), 3, 1));
  });
}

TEST_P(Faults, AWriteIsDoneOrNotBegun) {
  const auto before = ids(two_of_each());
  const auto after = [] {
    const TemporaryFolder folder(kMemory);
    const auto store = kSqlite.make(folder, two_of_each());
    EXPECT_TRUE(exchange(*store).ok());
    return ids(*store->read());
  }();
  ASSERT_LT(after.size(), before.size());
  int broken = 0, refused = 0;
  for (bool broke = true; broke; ++broken) {
    const TemporaryFolder folder(kMemory);
    kSqlite.make(folder, two_of_each()).reset();
    bool answered_yes = false;
    {
      FaultyDisk disk(GetParam(), broken);
      {
        auto store = SqliteStore::open(folder.file("gibbon.db"), all_collections());
        if (store.ok()) {
          answered_yes = exchange(**store).ok();
          EXPECT_EQ(ids(*(*store)->read()), answered_yes ? after : before) << "at operation " << broken;
        }
      }
      broke = disk.broke();
      disk.lose();
    }
    const auto store = SqliteStore::open(folder.file("gibbon.db"), all_collections());
    ASSERT_TRUE(store.ok()) << "at operation " << broken << ": " << store.error().message;
    const auto found = ids(*(*store)->read());
    if (answered_yes) {
      EXPECT_EQ(found, after) << "at operation " << broken;
    } else {
      EXPECT_TRUE(found == before || found == after) << "at operation " << broken;
      ++refused;
    }
    // And it can be written again.
    EXPECT_TRUE((*store)
                    ->write([](Transaction& t) {
                      return t.insert(all_collections()->at("consumers"),
                                      entity_of(all_collections()->at("consumers"), 4, 1));
                    })
                    .ok());
  }
  EXPECT_GT(refused, 3);
}

std::string fault_name(const ::testing::TestParamInfo<Fault>& info) {
  return info.param == Fault::kKilled ? "Killed" : info.param == Fault::kPowerLoss ? "PowerLoss" : "Full";
}
INSTANTIATE_TEST_SUITE_P(Disk, Faults, ::testing::ValuesIn(kFaults), fault_name);

TEST(SqliteFaults, AFullDiskThatHasRoomAgainTakesTheNextWrite) {
  const TemporaryFolder folder;
  kSqlite.make(folder, two_of_each()).reset();
  FaultyDisk disk(Fault::kFull, 1'000'000);
  const auto store = SqliteStore::open(folder.file("gibbon.db"), all_collections()).value();
  disk.break_now();
  const auto refused = exchange(*store);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kDatabase);
  EXPECT_NE(refused.error().message.find("full"), std::string::npos) << refused.error().message;
  EXPECT_EQ(ids(*store->read()), ids(two_of_each()));
  disk.heal();
  EXPECT_TRUE(exchange(*store).ok());
  EXPECT_NE(store->read()->find("consumers", id_of(3)), nullptr);
}

/// Becomes an ordinary user for a while, whom folders can refuse.
class OrdinaryUser {
 public:
  explicit OrdinaryUser(const TemporaryFolder& folder) {
    if (::geteuid() != 0) return;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      EXPECT_EQ(::chown(entry.path().c_str(), kNobody, kNobody), 0);
    EXPECT_EQ(::chown(folder.path().c_str(), kNobody, kNobody), 0);
    EXPECT_EQ(::seteuid(kNobody), 0);
    changed_ = true;
  }
  ~OrdinaryUser() { EXPECT_EQ(changed_ ? ::seteuid(0) : 0, 0); }

 private:
  static constexpr uid_t kNobody = 65534;
  bool changed_ = false;
};

TEST(SqliteFaults, AReadOnlyFolderLeavesAnOldDatabaseAsItIs) {
  const TemporaryFolder folder;
  const auto file = folder.file("gibbon.db");
  make_layout(file, 1);
  {
    const OrdinaryUser user(folder);
    ASSERT_EQ(::chmod(folder.path().c_str(), 0500), 0);
    const auto refused = SqliteStore::open(file, Collections::core());
    EXPECT_FALSE(refused.ok());
    const auto found = SqliteStore::inspect(file, Collections::core());
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(found->layout, 1);
    EXPECT_EQ(ids(*found->image).size(), 4u);
    ASSERT_EQ(::chmod(folder.path().c_str(), 0700), 0);
  }
  const auto store = SqliteStore::open(file, Collections::core());
  ASSERT_TRUE(store.ok()) << store.error().message;
  EXPECT_EQ(ids(*(*store)->read()).size(), 4u);
}

TEST(SqliteFaults, ACopyThatCannotBeMadeStopsTheMigration) {
  const TemporaryFolder folder;
  const auto file = folder.file("gibbon.db");
  make_layout(file, 1);
  std::filesystem::create_directories(backup_path(file, 1) + "/in-the-way");
  const auto refused = SqliteStore::open(file, Collections::core());
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("cannot make the backup " + backup_path(file, 1)), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(SqliteStore::inspect(file, Collections::core())->layout, 1);
}

TEST(SqliteFaults, ADatabaseThatAnotherProgramHoldsIsWaitedForAndThenRefused) {
  const TemporaryFolder folder;
  const auto store = kSqlite.make(folder, two_of_each());
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(folder.file("gibbon.db").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto add = [&](int n) {
    return store->write([&](Transaction& t) {
      return t.insert(all_collections()->at("consumers"),
                      entity_of(all_collections()->at("consumers"), n, 1));
    });
  };
  const auto refused = add(3);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kDatabase);
  EXPECT_NE(refused.error().message.find("locked"), std::string::npos) << refused.error().message;
  EXPECT_EQ(ids(*store->read()), ids(two_of_each()));
  // Who only waits for a moment goes through.
  std::thread writer([&] { EXPECT_TRUE(add(3).ok()); });
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  writer.join();
  sqlite3_close(other);
  EXPECT_NE(store->read()->find("consumers", id_of(3)), nullptr);
}

}  // namespace
}  // namespace gibbon::agent::test
