#include "gateway/counters/counter_table.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>
#include <vector>

#include "../record/temporary_directory.hpp"

namespace gibbon::gateway {
namespace {

using testing::TemporaryDirectory;

constexpr std::int64_t kLong = 1'000'000;

CounterTable open(const TemporaryDirectory& directory) {
  auto table = CounterTable::open(directory.path());
  if (!table.ok()) throw std::runtime_error(table.error().message);
  return std::move(table).value();
}

TEST(CounterTable, Counts) {
  TemporaryDirectory directory;
  CounterTable table = open(directory);
  EXPECT_EQ(table.get("p", "k", 5), 0);
  EXPECT_EQ(table.increment("p", "k", 2, kLong, 5), 2);
  EXPECT_EQ(table.increment("p", "k", 3, kLong, 6), 5);
  EXPECT_EQ(table.increment("p", "k", -6, kLong, 6), -1);
  EXPECT_EQ(table.get("p", "k", 7), -1);
  EXPECT_EQ(table.get("q", "k", 7), 0) << "each plugin has keys of its own";
  EXPECT_EQ(table.get("p", "", 7), 0);
  EXPECT_EQ(table.increment("p", "", 1, kLong, 7), 1);
}

TEST(CounterTable, StaysWithinItsBounds) {
  TemporaryDirectory directory;
  CounterTable table = open(directory);
  EXPECT_EQ(table.increment("p", "k", INT64_MAX, kLong, 5), CounterTable::kMost);
  EXPECT_EQ(table.increment("p", "k", 1, kLong, 5), CounterTable::kMost);
  EXPECT_EQ(table.increment("p", "k", -1, kLong, 5), CounterTable::kMost - 1);
  EXPECT_EQ(table.increment("p", "k", INT64_MIN, kLong, 5), CounterTable::kLeast);
}

TEST(CounterTable, BeginsAgainWhereACounterHasEnded) {
  TemporaryDirectory directory;
  CounterTable table = open(directory);
  EXPECT_EQ(table.increment("p", "k", 7, 100, 1000), 7);
  EXPECT_EQ(table.increment("p", "k", 1, 5000, 1099), 8) << "the first ttl counts";
  EXPECT_EQ(table.get("p", "k", 1100), 0);
  EXPECT_EQ(table.increment("p", "k", 1, 100, 1100), 1);
  EXPECT_EQ(table.get("p", "k", 1199), 1);
}

TEST(CounterTable, OutlivesItsUsers) {
  TemporaryDirectory directory;
  { open(directory).increment("p", "k", 4, kLong, 1); }
  EXPECT_EQ(open(directory).increment("p", "k", 1, kLong, 2), 5);
  struct stat file {};
  ASSERT_EQ(stat((directory.path() + "/counters").c_str(), &file), 0);
  EXPECT_EQ(file.st_size, 12 * 1024 * 1024);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
}

TEST(CounterTable, GivesUpWhatEndsSoonestWhereItIsFull) {
  TemporaryDirectory directory;
  CounterTable table = open(directory);
  // More than there is room for: those with a long time to live stay, as long as their bucket is not full of them.
  constexpr int kLasting = 1000, kShort = 500'000;
  for (int i = 0; i < kLasting; ++i) table.increment("lasting", std::to_string(i), i + 1, kLong, 0);
  for (int i = 0; i < kShort; ++i) ASSERT_EQ(table.increment("short", std::to_string(i), 1, 1000 + i % 100, 0), 1);
  for (int i = 0; i < kLasting; ++i) ASSERT_EQ(table.get("lasting", std::to_string(i), 0), i + 1);
  int left = 0;
  for (int i = 0; i < kShort; ++i) left += static_cast<int>(table.get("short", std::to_string(i), 0));
  EXPECT_GT(left, 200'000);
  EXPECT_LE(left + kLasting, static_cast<int>(CounterPage::kBuckets * CounterPage::kCellsPerBucket));
}

TEST(CounterTable, HashesDiffer) {
  std::set<std::array<std::uint64_t, 2>> all;
  std::set<std::uint64_t> halves[2];
  for (int i = 0; i < 100'000; ++i) {
    const auto hash = CounterTable::hash("p", std::to_string(i));
    all.insert(hash);
    for (int half = 0; half < 2; ++half) halves[half].insert(hash[half] >> 16);
  }
  EXPECT_EQ(all.size(), 100'000U);
  EXPECT_EQ(halves[0].size(), 100'000U);
  EXPECT_EQ(halves[1].size(), 100'000U);
}

/// Keys of one bucket's worth and more, so that cells come and go while others count. The keys end and begin again.
TEST(CounterTable, LosesNothingBetweenThreads) {
  TemporaryDirectory directory;
  CounterTable table = open(directory);
  constexpr int kThreads = 4, kRounds = 200, kKeys = 50;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round)
        for (int key = 0; key < kKeys; ++key)
          table.increment("p", std::to_string(round) + ":" + std::to_string(key), 1, kLong, 1);
    });
  for (std::thread& thread : threads) thread.join();
  for (int round = 0; round < kRounds; ++round)
    for (int key = 0; key < kKeys; ++key)
      ASSERT_EQ(table.get("p", std::to_string(round) + ":" + std::to_string(key), 1), kThreads);
}

/// Every thread gives every sum once: nobody counts on a counter of his own.
TEST(CounterTable, GivesEachSumOnce) {
  TemporaryDirectory directory;
  CounterTable table = open(directory);
  constexpr int kThreads = 4, kKeys = 3000;
  std::vector<std::vector<std::int64_t>> sums(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int key = 0; key < kKeys; ++key) sums[t].push_back(table.increment("p", std::to_string(key), 1, kLong, 1));
    });
  for (std::thread& thread : threads) thread.join();
  for (int key = 0; key < kKeys; ++key) {
    std::set<std::int64_t> seen;
    for (int t = 0; t < kThreads; ++t) seen.insert(sums[t][key]);
    ASSERT_EQ(seen, (std::set<std::int64_t>{1, 2, 3, 4})) << key;
  }
}

#if !defined(__SANITIZE_THREAD__)
TEST(CounterTable, LosesNothingBetweenProcesses) {
  TemporaryDirectory directory;
  CounterTable table = open(directory);
  constexpr int kProcesses = 4, kKeys = 5000;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = fork();
    if (child == 0) {
      CounterTable mine = open(directory);
      for (int key = 0; key < kKeys; ++key) mine.increment("p", std::to_string(key), 1, kLong, 1);
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  for (int key = 0; key < kKeys; ++key) ASSERT_EQ(table.get("p", std::to_string(key), 1), kProcesses);
}

/// Processes that are killed wherever they are leave a table that counts on.
TEST(CounterTable, CountsOnWhereProcessesAreKilled) {
  TemporaryDirectory directory;
  CounterTable table = open(directory);
  for (int round = 0; round < 30; ++round) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
      CounterTable mine = open(directory);
      for (int n = 0;; ++n) {
        mine.increment("p", "victim" + std::to_string(n % 100'000), 1, 1 + n % 7, n / 10);
        if (n == 100 && write(ready[1], "", 1) != 1) _exit(1);
      }
    }
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    for (int key = 0; key < 2000; ++key) table.increment("q", std::to_string(key), 1, kLong * kLong, 1);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(ready[0]);
    close(ready[1]);
  }
  for (int key = 0; key < 2000; ++key) ASSERT_EQ(table.get("q", std::to_string(key), 1), 30);
}
#endif

}  // namespace
}  // namespace gibbon::gateway
