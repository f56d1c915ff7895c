// What every store owes. A new store is one more line at the end.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <limits>
#include <thread>

#include "logs/entry_key.hpp"
#include "logs/store/sqlite_store.hpp"
#include "logs/store/store.hpp"
#include "temporary_directory.hpp"

namespace gibbon::logs {
namespace {

constexpr auto kNewest = std::numeric_limits<std::uint64_t>::max();
constexpr auto kAnyBytes = std::numeric_limits<std::size_t>::max();

struct StoreKind {
  const char* name;
  std::function<Result<std::unique_ptr<Store>>(const std::string& directory)> open;
};

class StoreContract : public testing::TestWithParam<StoreKind> {
 protected:
  void SetUp() override { open(); }
  void open() {
    reader_.reset();
    store_.reset();
    auto store = GetParam().open(directory_.path());
    ASSERT_TRUE(store.ok()) << store.error().message;
    store_ = std::move(store).value();
    auto reader = store_->reader();
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    reader_ = std::move(reader).value();
  }
  static Entry entry(int n, std::size_t padding = 0) {
    Entry entry;
    entry.entry_id = "entry-" + std::to_string(n);
    entry.key = key_of_entry_id(entry.entry_id);
    entry.id = std::to_string(1000 + n) + ".5";
    entry.request_id = "request-" + std::to_string(n);
    entry.timestamp_us = 1'000'000 + n;
    entry.status = 200;
    entry.json = R"({"entry_id":")" + entry.entry_id + R"(","request_id":")" + entry.request_id + R"(","body":")" +
                 std::string(padding, static_cast<char>('a' + n % 26)) + "\"}";
    return entry;
  }
  Appended append(int from, int to, std::size_t padding = 0) {
    std::vector<Entry> batch;
    for (int n = from; n < to; ++n) batch.push_back(entry(n, padding));
    auto appended = store_->append(batch);
    EXPECT_TRUE(appended.ok()) << appended.error().message;
    return std::move(appended).value();
  }
  std::vector<std::uint64_t> seqs(const Result<std::vector<StoredEntry>>& rows) {
    EXPECT_TRUE(rows.ok()) << rows.error().message;
    std::vector<std::uint64_t> out;
    for (const auto& row : *rows) out.push_back(row.seq);
    return out;
  }

  test::TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreReader> reader_;
};

using Seqs = std::vector<std::uint64_t>;

TEST_P(StoreContract, BeginsEmpty) {
  EXPECT_EQ(store_->totals().entries(), 0u);
  EXPECT_EQ(seqs(reader_->page(kNewest, 10, kAnyBytes)), Seqs{});
  EXPECT_EQ(seqs(reader_->after(0, 10, kAnyBytes)), Seqs{});
  EXPECT_FALSE((*reader_->find("entry-1")).has_value());
}

TEST_P(StoreContract, NumbersInOrder) {
  EXPECT_EQ(append(0, 3).seqs, (Seqs{1, 2, 3}));
  EXPECT_EQ(append(3, 5).seqs, (Seqs{4, 5}));
  EXPECT_EQ(store_->totals().entries(), 5u);
  EXPECT_EQ(store_->totals().newest_seq, 5u);
}

TEST_P(StoreContract, KeepsTheFirstOfRepeats) {
  append(0, 2);
  std::vector<Entry> batch{entry(1), entry(2), entry(2), entry(3)};
  batch[2].json = R"({"second":"try"})";
  const auto appended = store_->append(batch);
  ASSERT_TRUE(appended.ok());
  EXPECT_EQ(appended->seqs, (Seqs{0, 3, 0, 4}));
  EXPECT_EQ(appended->stored, 2u);
  EXPECT_EQ((*reader_->find("entry-2"))->json, entry(2).json);
  open();
  EXPECT_EQ(append(0, 5).seqs, (Seqs{0, 0, 0, 0, 5}));
}

TEST_P(StoreContract, ReturnsJsonAsItCame) {
  // Of all sizes and kinds, before and after whatever a store does once it knows its entries.
  std::vector<std::string> texts;
  for (int n = 0; n < 300; ++n) {
    auto made = entry(n, static_cast<std::size_t>(n) * 37);
    if (n % 3 == 0) made.json += std::string(static_cast<std::size_t>(n % 7), ' ');
    if (n == 100) made.json = "{}";
    if (n == 200) made.json = "{\"x\":\"" + std::string(3'000'000, 'z') + "\"}";
    texts.push_back(made.json);
    ASSERT_TRUE(store_->append({&made, 1}).ok());
  }
  for (int round = 0; round < 2; ++round) {
    const auto rows = reader_->after(0, 1000, kAnyBytes);
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    ASSERT_EQ(rows->size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) ASSERT_EQ((*rows)[i].json, texts[i]) << i;
    open();
  }
}

TEST_P(StoreContract, PagesNewestFirst) {
  append(0, 10);
  EXPECT_EQ(seqs(reader_->page(kNewest, 3, kAnyBytes)), (Seqs{10, 9, 8}));
  EXPECT_EQ(seqs(reader_->page(8, 3, kAnyBytes)), (Seqs{7, 6, 5}));
  append(10, 12);
  EXPECT_EQ(seqs(reader_->page(5, 30, kAnyBytes)), (Seqs{4, 3, 2, 1}));
  EXPECT_EQ(seqs(reader_->page(1, 3, kAnyBytes)), Seqs{});
  EXPECT_EQ(seqs(reader_->page(kNewest, 1, kAnyBytes)), (Seqs{12}));
}

TEST_P(StoreContract, ReadsOnFromAPosition) {
  append(0, 10);
  EXPECT_EQ(seqs(reader_->after(0, 3, kAnyBytes)), (Seqs{1, 2, 3}));
  EXPECT_EQ(seqs(reader_->after(8, 30, kAnyBytes)), (Seqs{9, 10}));
  EXPECT_EQ(seqs(reader_->after(10, 3, kAnyBytes)), Seqs{});
  EXPECT_EQ(seqs(reader_->after(kNewest, 3, kAnyBytes)), Seqs{});
}

TEST_P(StoreContract, BoundsAPageInBytes) {
  append(0, 10, 10'000);
  EXPECT_EQ(seqs(reader_->page(kNewest, 10, 25'000)), (Seqs{10, 9, 8}));
  EXPECT_EQ(seqs(reader_->page(kNewest, 10, 1)), (Seqs{10}));
  EXPECT_EQ(seqs(reader_->after(0, 10, 1)), (Seqs{1}));
}

TEST_P(StoreContract, FindsByEachId) {
  append(0, 200);
  for (const char* id : {"entry-77", "1077.5", "request-77"}) {
    const auto found = reader_->find(id);
    ASSERT_TRUE(found.ok() && found->has_value()) << id;
    EXPECT_EQ((*found)->seq, 78u) << id;
  }
  EXPECT_EQ((*reader_->find("1077.50"))->seq, 78u);
  for (const char* id : {"entry-777", "1077", "", "request-7 7", "77"}) {
    const auto found = reader_->find(id);
    ASSERT_TRUE(found.ok()) << id;
    EXPECT_FALSE(found->has_value()) << id;
  }
}

TEST_P(StoreContract, FindsTheNewestOfEqualIds) {
  std::vector<Entry> batch{entry(1), entry(2), entry(3)};
  for (auto& one : batch) {
    one.id = "text id";
    one.request_id = "same";
    one.json += R"( "same")";
  }
  ASSERT_TRUE(store_->append(batch).ok());
  EXPECT_EQ((*reader_->find("text id"))->seq, 3u);
  EXPECT_EQ((*reader_->find("same"))->seq, 3u);
}

TEST_P(StoreContract, KeepsAllAfterReopening) {
  append(0, 100);
  open();
  EXPECT_EQ(store_->totals().entries(), 100u);
  EXPECT_EQ(append(100, 101).seqs, (Seqs{101}));
  EXPECT_EQ((*reader_->find("entry-50"))->seq, 51u);
}

TEST_P(StoreContract, RemovesTheOldestBeyondItsBytes) {
  std::uint64_t removed = 0;
  for (int n = 0; n < 40; ++n) {
    std::vector<Entry> batch;
    for (int i = 0; i < 50; ++i) {
      auto made = entry(n * 50 + i);
      for (int c = 0; c < 3000; ++c) made.json += static_cast<char>('!' + (c * 7919 + n * 31 + i * 17 + c * c) % 90);
      batch.push_back(std::move(made));
    }
    ASSERT_TRUE(store_->append(batch).ok());
  }
  const std::uint64_t before = store_->totals().bytes, limit = before / 2;
  for (;;) {
    const auto count = store_->retain({.max_bytes = limit});
    ASSERT_TRUE(count.ok()) << count.error().message;
    if (*count == 0) break;
    removed += *count;
  }
  EXPECT_GT(before, 0u);
  EXPECT_LE(store_->totals().bytes, limit);
  EXPECT_GT(store_->totals().entries(), 500u);
  EXPECT_EQ(store_->totals().entries() + removed, 2000u);
  EXPECT_EQ(store_->totals().oldest_seq, removed + 1);
  EXPECT_EQ(seqs(reader_->after(0, 1, kAnyBytes)), (Seqs{removed + 1}));
  EXPECT_FALSE((*reader_->find("entry-0")).has_value());
  EXPECT_TRUE((*reader_->find("entry-1999")).has_value());
  EXPECT_EQ(*store_->retain({}), 0u);
}

TEST_P(StoreContract, RemovesWhatIsTooOldAndNeverCountsAgain) {
  append(0, 10);
  EXPECT_EQ(*store_->retain({.max_age = std::chrono::hours(1)}), 0u);
  EXPECT_EQ(*store_->retain({.max_age = std::chrono::seconds(-1)}), 0u) << "no limit";
  // A second must pass for entries to be older than the shortest limit.
  std::uint64_t removed = 0;
  while (removed == 0) {
    removed = *store_->retain({.max_age = std::chrono::seconds(1)});
    std::this_thread::yield();
  }
  EXPECT_EQ(removed, 10u);
  EXPECT_EQ(store_->totals().entries(), 0u);
  open();
  EXPECT_EQ(store_->totals().entries(), 0u);
  EXPECT_EQ(append(20, 21).seqs, (Seqs{11}));
}

TEST_P(StoreContract, ReadersSeeCommitsAsTheyCome) {
  std::atomic<bool> done{false};
  std::thread reading([&] {
    auto reader = store_->reader();
    ASSERT_TRUE(reader.ok());
    std::uint64_t position = 0;
    while (position < 2000) {
      const bool all_there = done;
      const auto rows = (*reader)->after(position, 100, kAnyBytes);
      ASSERT_TRUE(rows.ok()) << rows.error().message;
      for (const auto& row : *rows) {
        ASSERT_EQ(row.seq, position + 1);
        ASSERT_EQ(row.json, entry(static_cast<int>(position), 500).json);
        position = row.seq;
      }
      ASSERT_TRUE(!all_there || !rows->empty());
    }
  });
  for (int n = 0; n < 2000; n += 20) append(n, n + 20, 500);
  done = true;
  reading.join();
}

INSTANTIATE_TEST_SUITE_P(
    Stores, StoreContract,
    testing::Values(StoreKind{"sqlite", [](const std::string& directory) -> Result<std::unique_ptr<Store>> {
                                auto store = SqliteStore::open(directory, Durability::kNormal);
                                if (!store) return store.error();
                                return std::unique_ptr<Store>(std::move(store).value());
                              }},
                    StoreKind{"sqlite_full", [](const std::string& directory) -> Result<std::unique_ptr<Store>> {
                                auto store = SqliteStore::open(directory, Durability::kFull);
                                if (!store) return store.error();
                                return std::unique_ptr<Store>(std::move(store).value());
                              }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(SqliteStore, RefusesASecondService) {
  test::TemporaryDirectory directory;
  auto first = SqliteStore::open(directory.path(), Durability::kNormal);
  ASSERT_TRUE(first.ok());
  auto second = SqliteStore::open(directory.path(), Durability::kNormal);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message.find("in use by another log service"), std::string::npos);
  first.value().reset();
  EXPECT_TRUE(SqliteStore::open(directory.path(), Durability::kNormal).ok());
}

TEST(SqliteStore, RefusesWhatIsNotItsOwn) {
  test::TemporaryDirectory directory;
  {
    auto database = sqlite::open(directory.path() + "/entries.db", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    ASSERT_TRUE(database.ok());
    ASSERT_TRUE(sqlite::execute(database->get(), "CREATE TABLE mine(x)").ok());
  }
  auto store = SqliteStore::open(directory.path(), Durability::kNormal);
  ASSERT_FALSE(store.ok());
  EXPECT_NE(store.error().message.find("not a log service's database"), std::string::npos) << store.error().message;
  {
    auto database = sqlite::open(directory.path() + "/entries.db", SQLITE_OPEN_READWRITE);
    ASSERT_TRUE(sqlite::execute(database->get(), "PRAGMA user_version = 99").ok());
  }
  store = SqliteStore::open(directory.path(), Durability::kNormal);
  ASSERT_FALSE(store.ok());
  EXPECT_NE(store.error().message.find("newer version"), std::string::npos) << store.error().message;
}

TEST(SqliteStore, FilesAreTheOwnersAlone) {
  test::TemporaryDirectory directory;
  auto store = SqliteStore::open(directory.path(), Durability::kNormal);
  ASSERT_TRUE(store.ok());
  for (const char* name : {"/entries.db", "/entries.db-wal", "/lock"}) {
    const auto mode = std::filesystem::status(directory.path() + name).permissions();
    EXPECT_EQ(mode & std::filesystem::perms::all,
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << name;
  }
}

}  // namespace
}  // namespace gibbon::logs
