#include "logs/writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

namespace gibbon::logs {
namespace {

/// A store whose commits wait for permission, and fail when told to.
class GatedStore final : public Store {
 public:
  Result<Appended> append(std::span<const Entry> entries) override {
    std::unique_lock lock(mutex);
    entered = true;
    changed.notify_all();
    changed.wait(lock, [this] { return open; });
    batches.push_back(entries.size());
    if (fails) return Error{"disk full", {}};
    Appended appended;
    for (const auto& entry : entries) appended.seqs.push_back(entry.key == "repeat" ? 0 : ++seq);
    appended.stored = static_cast<std::uint64_t>(std::count_if(appended.seqs.begin(), appended.seqs.end(),
                                                               [](auto one) { return one != 0; }));
    return appended;
  }
  Result<std::uint64_t> retain(const Retention&) override { return std::uint64_t{0}; }
  Result<std::unique_ptr<StoreReader>> reader() override { return Error{"none", {}}; }
  [[nodiscard]] Totals totals() const override { return {}; }

  void wait_for_entry() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return entered; });
  }
  void let_through() {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }

  std::mutex mutex;
  std::condition_variable changed;
  bool entered = false, open = false, fails = false;
  std::uint64_t seq = 0;
  std::vector<std::size_t> batches;
};

std::vector<Entry> entries(std::initializer_list<const char*> keys) {
  std::vector<Entry> out;
  for (const auto* key : keys) {
    out.emplace_back();
    out.back().key = key;
  }
  return out;
}

struct Posted {
  explicit Posted(Writer& writer, std::initializer_list<const char*> keys, std::size_t bytes) {
    auto batch = entries(keys);
    Writer::Done done = [promise = promise](const Writer::Outcome& outcome) { promise->set_value(outcome); };
    admission = writer.post(batch, bytes, done);
  }
  Writer::Outcome outcome() { return promise->get_future().get(); }
  std::shared_ptr<std::promise<Writer::Outcome>> promise = std::make_shared<std::promise<Writer::Outcome>>();
  Writer::Admission admission;
};

TEST(Writer, CommitsTogetherWhatWaits) {
  GatedStore store;
  std::atomic<int> notices{0};
  Writer writer(store, 1000, {}, [&] { ++notices; });
  Posted first(writer, {"a"}, 10);
  store.wait_for_entry();
  Posted second(writer, {"b", "repeat"}, 10), third(writer, {"repeat"}, 10), fourth(writer, {"c"}, 10);
  store.let_through();
  EXPECT_EQ(first.outcome().stored, 1u);
  const auto outcome = second.outcome();
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.stored, 1u);
  EXPECT_EQ(outcome.duplicates, 1u);
  EXPECT_EQ(third.outcome().duplicates, 1u);
  EXPECT_EQ(fourth.outcome().stored, 1u);
  EXPECT_EQ(store.batches, (std::vector<std::size_t>{1, 4}));
  EXPECT_EQ(writer.counters().stored, 3u);
  EXPECT_EQ(writer.counters().duplicates, 2u);
}

TEST(Writer, BoundsTheQueue) {
  GatedStore store;
  Writer writer(store, 100, {}, [] {});
  Posted large(writer, {"a"}, 1000);  // More than the bound, and taken: otherwise it never could be.
  store.wait_for_entry();
  Posted refused(writer, {"b"}, 1);
  EXPECT_EQ(large.admission, Writer::Admission::kTaken);
  EXPECT_EQ(refused.admission, Writer::Admission::kFull);
  EXPECT_EQ(writer.counters().refused, 1u);
  EXPECT_EQ(writer.waiting_bytes(), 1000u);
  store.let_through();
  EXPECT_TRUE(large.outcome().ok);
  while (writer.waiting_bytes() > 0) std::this_thread::yield();
  Posted next(writer, {"c"}, 100);
  EXPECT_EQ(next.admission, Writer::Admission::kTaken);
  EXPECT_TRUE(next.outcome().ok);
}

TEST(Writer, SaysWhenTheStoreFails) {
  GatedStore store;
  store.fails = true;
  store.open = true;
  std::atomic<int> notices{0};
  Writer writer(store, 1000, {}, [&] { ++notices; });
  const auto outcome = Posted(writer, {"a", "b"}, 10).outcome();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.error, "disk full");
  EXPECT_EQ(writer.counters().failed, 2u);
  EXPECT_EQ(notices, 0);
}

TEST(Writer, StoresWhatWaitsBeforeItEnds) {
  GatedStore store;
  auto writer = std::make_unique<Writer>(store, 1000, Retention{}, [] {});
  Posted first(*writer, {"a"}, 10);
  store.wait_for_entry();
  Posted second(*writer, {"b"}, 10);
  std::thread ending([&] { writer.reset(); });
  store.let_through();
  ending.join();
  EXPECT_TRUE(first.outcome().ok);
  EXPECT_TRUE(second.outcome().ok);
}

}  // namespace
}  // namespace gibbon::logs
