#include "agent/delivery/spool/spool.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "../record/temporary_directory.hpp"
#include "faulty_files.hpp"

namespace gibbon::agent {
namespace {

using gibbon::testing::FaultyFiles;
namespace fs = std::filesystem;

constexpr std::uint64_t kRing = 0xABCD;

class SpoolTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }

  void open(std::uint64_t segment_bytes = 4096) {
    spool.reset();
    budget.used_bytes = 0;
    seen.clear();
    auto opened = Spool::open(files, budget, {directory.path() + "/s", segment_bytes},
                              [this](std::uint64_t ring, std::uint64_t seq) {
                                EXPECT_EQ(ring, kRing);
                                seen.insert(seq);
                              });
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    spool = std::move(*opened);
  }

  /// Appends the next `count` entries; entry n is number n of its ring and says so.
  Spool::Appended append(std::size_t count, std::size_t* done = nullptr) {
    Batch batch;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t offset = batch.bytes.size();
      const std::uint64_t n = ++ring_seq;
      batch.bytes += text_of(n);
      EntryRef& entry = batch.add(offset);
      entry.ring_id = kRing;
      entry.ring_seq = n;
      entry.captured_ms = 1000 + n;
    }
    std::vector<EntryRef*> entries;
    for (EntryRef& entry : batch.entries) entries.push_back(&entry);
    std::size_t appended = 0;
    const auto result = spool->append(batch, entries.data(), entries.size(), &appended);
    ring_seq -= count - appended;
    if (done != nullptr) *done = appended;
    return result;
  }
  static std::string text_of(std::uint64_t n) { return "{\"n\":" + std::to_string(n) + std::string(n % 40, ' ') + "}"; }

  /// Reads all that is left; checks that each is what was written under its number.
  std::vector<std::uint64_t> read_all() {
    std::vector<std::uint64_t> numbers;
    while (spool->unread()) {
      Batch batch;
      Status read = spool->read(batch);
      EXPECT_TRUE(read.ok());
      if (!read) break;
      for (const EntryRef& entry : batch.entries) {
        EXPECT_EQ(batch.text(entry), text_of(entry.spool_seq));
        EXPECT_EQ(entry.captured_ms, 1000 + entry.spool_seq);
        numbers.push_back(entry.spool_seq);
      }
    }
    return numbers;
  }
  void deliver(const std::vector<std::uint64_t>& numbers) {
    for (const std::uint64_t n : numbers) spool->settle(n, Fate::kDelivered);
  }
  void commit(std::uint64_t released = ~std::uint64_t{0}) {
    spool->commit([released](std::uint64_t) { return released; });
  }
  std::vector<std::string> segments() {
    std::vector<std::string> names;
    for (const auto& file : fs::directory_iterator(directory.path() + "/s"))
      if (file.path().extension() == ".seg") names.push_back(file.path().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  static void overwrite(const std::string& path, std::uint64_t offset, const std::string& bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
    ASSERT_TRUE(file.good());
  }
  std::uint64_t damaged() { return spool->ledger().lost[static_cast<int>(record::LossReason::kDamaged)]; }
  void check_sum() {
    std::uint64_t lost_entries = 0;
    for (const std::uint64_t n : spool->ledger().lost) lost_entries += n;
    EXPECT_EQ(spool->appended(), spool->ledger().delivered + lost_entries + spool->pending());
  }
  static std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> numbers;
    for (; first <= last; ++first) numbers.push_back(first);
    return numbers;
  }

  gibbon::testing::TemporaryDirectory directory;
  FaultyFiles files;
  SpoolBudget budget{1 << 20, 0};
  std::unique_ptr<Spool> spool;
  std::set<std::uint64_t> seen;
  std::uint64_t ring_seq = 0;
};

TEST_F(SpoolTest, GivesBackInOrderAndForgetsWhatIsDelivered) {
  for (int i = 0; i < 10; ++i) ASSERT_EQ(append(20), Spool::Appended::kAll);
  EXPECT_GT(segments().size(), 2u);
  EXPECT_EQ(spool->pending(), 200u);
  EXPECT_EQ(budget.used_bytes, spool->bytes());
  const auto numbers = read_all();
  EXPECT_EQ(numbers, range(1, 200));
  deliver(numbers);
  commit();
  EXPECT_EQ(spool->pending(), 0u);
  EXPECT_EQ(segments().size(), 0u);
  EXPECT_EQ(budget.used_bytes, 0u);
  open();  // numbers go on, whether a segment is left or not
  EXPECT_EQ(spool->appended(), 200u);
  EXPECT_EQ(spool->ledger().delivered, 200u);
  ASSERT_EQ(append(1), Spool::Appended::kAll);
  EXPECT_EQ(read_all(), range(201, 201));
}

TEST_F(SpoolTest, ARestartGoesOnBehindWhatWasFinishedInOrder) {
  append(50);
  const auto numbers = read_all();
  for (const std::uint64_t n : {1, 2, 3, 5, 6}) spool->settle(n, Fate::kDelivered);
  commit(3);
  EXPECT_EQ(spool->ledger().delivered, 3u);  // 5 and 6 wait for 4
  open();
  EXPECT_EQ(seen.size(), 50u);
  EXPECT_EQ(spool->pending(), 47u);
  EXPECT_EQ(read_all(), range(4, 50));
  check_sum();
}

TEST_F(SpoolTest, ASegmentStaysUntilTheRingHasLetGoOfItsRecords) {
  append(30);
  deliver(read_all());
  commit(/*released=*/29);
  EXPECT_EQ(segments().size(), 1u);
  open();
  EXPECT_TRUE(seen.contains(30)) << "the ring still has it: it must not be taken again";
  EXPECT_FALSE(spool->unread());
  commit(30);
  EXPECT_EQ(segments().size(), 0u);
}

TEST_F(SpoolTest, ReadsWhatIsAppendedWhileItReads) {
  append(5);
  EXPECT_EQ(read_all(), range(1, 5));
  append(500);
  EXPECT_EQ(read_all(), range(6, 505));
  append(3);
  spool->skip_to_end();
  append(2);
  EXPECT_EQ(read_all(), range(509, 510));
}

TEST_F(SpoolTest, TakesWhatFitsIntoTheBudget) {
  budget.max_bytes = 2000;
  std::size_t done = 0;
  EXPECT_EQ(append(100, &done), Spool::Appended::kFull);
  EXPECT_GT(done, 5u);
  EXPECT_LE(budget.used_bytes, budget.max_bytes);
  EXPECT_EQ(append(1), Spool::Appended::kFull);
  EXPECT_EQ(read_all(), range(1, done));
  deliver(range(1, done));
  commit();
  EXPECT_EQ(append(1), Spool::Appended::kAll);
}

TEST_F(SpoolTest, ATornEndIsCutOffAndItsNumbersAreGivenAgain) {
  append(10);
  const std::string segment = segments().back();
  const auto size = fs::file_size(segment);
  spool.reset();
  for (const std::uint64_t cut : {1u, 63u, 70u}) {
    fs::resize_file(segment, size);
    open();
    const std::uint64_t before = spool->appended();
    spool.reset();
    fs::resize_file(segment, fs::file_size(segment) - cut);
    open();
    EXPECT_EQ(spool->appended(), before - 1) << cut;
    EXPECT_FALSE(seen.contains(before));
    EXPECT_EQ(read_all(), range(1, before - 1));
    commit();
    EXPECT_EQ(damaged(), 0u);
    ring_seq = before - 1;
    append(1);
    spool.reset();
    for (const std::string& name : segments())
      if (name != segment) fs::remove(name);
  }
}

TEST_F(SpoolTest, AnythingAtTheEndThatIsNoRecordIsPassedBy) {
  append(3);
  std::ofstream(segments().back(), std::ios::app | std::ios::binary) << std::string(1000, '\xAA');
  open();
  append(3);
  EXPECT_EQ(read_all(), range(1, 6));
  EXPECT_EQ(damaged(), 0u);
}

/// Any single byte that turns over costs no more than the record that it is in.
TEST_F(SpoolTest, EveryFlippedByteCostsAtMostItsRecord) {
  append(8);
  append(1);
  const std::string segment = segments().front();
  std::string original(fs::file_size(segment), '\0');
  std::ifstream(segment, std::ios::binary).read(original.data(), static_cast<std::streamsize>(original.size()));
  const std::string ledger = directory.path() + "/s/ledger";
  const fs::path kept = directory.path() + "/ledger.kept";
  spool.reset();
  fs::copy_file(ledger, kept);
  for (std::size_t at = 0; at < original.size(); ++at) {
    std::string bytes = original;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x41);
    for (const std::string& name : segments()) fs::remove(name);
    std::ofstream(segment, std::ios::binary) << bytes;
    fs::copy_file(kept, ledger, fs::copy_options::overwrite_existing);
    open();
    const std::uint64_t appended = spool->appended();
    const auto numbers = read_all();
    deliver(numbers);
    commit();
    ASSERT_GE(numbers.size(), 8u) << "byte " << at;
    ASSERT_EQ(numbers.size() + damaged(), appended) << "byte " << at;
    ASSERT_EQ(spool->pending(), 0u);
    check_sum();
  }
}

TEST_F(SpoolTest, AMissingSegmentIsCounted) {
  for (int i = 0; i < 5; ++i) append(40);
  const auto names = segments();
  ASSERT_GE(names.size(), 3u);
  spool.reset();
  fs::remove(names[1]);
  open();
  const auto numbers = read_all();
  deliver(numbers);
  commit();
  EXPECT_GT(damaged(), 0u);
  EXPECT_EQ(numbers.size() + damaged(), 200u);
  check_sum();
}

TEST_F(SpoolTest, ADamagedLedgerSlotLeavesTheOneBefore) {
  append(10);
  read_all();
  deliver(range(1, 4));
  commit(0);
  deliver(range(5, 7));
  commit(0);
  const std::uint64_t newest = spool->ledger().generation % 2;
  spool.reset();
  overwrite(directory.path() + "/s/ledger", newest * 512 + 20, "xx");
  open();
  EXPECT_EQ(spool->ledger().acked_seq, 4u);
  EXPECT_EQ(read_all(), range(5, 10));
  spool.reset();
  fs::remove(directory.path() + "/s/ledger");
  open();
  EXPECT_EQ(read_all(), range(1, 10)) << "without a ledger everything goes again, under its entry_id";
}

class SpoolWriteFault : public SpoolTest, public ::testing::WithParamInterface<FaultyFiles::Fault> {};

TEST_P(SpoolWriteFault, LosesNothingThatWasAppendedAndGoesOn) {
  ASSERT_EQ(append(10), Spool::Appended::kAll);
  files.fault = GetParam();
  std::size_t done = 99;
  EXPECT_EQ(append(7, &done), Spool::Appended::kFailed);
  EXPECT_EQ(done, 0u);
  EXPECT_FALSE(spool->last_error().empty());
  EXPECT_EQ(spool->appended(), 10u);
  files.fault = FaultyFiles::Fault::kNone;
  ASSERT_EQ(append(5), Spool::Appended::kAll);
  EXPECT_EQ(read_all(), range(1, 15));
  open();
  EXPECT_EQ(spool->appended(), 15u);
  EXPECT_EQ(read_all(), range(1, 15));
  EXPECT_EQ(damaged(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Faults, SpoolWriteFault,
                         ::testing::Values(FaultyFiles::Fault::kWrite, FaultyFiles::Fault::kShortWrite,
                                           FaultyFiles::Fault::kShortWriteForGood));

TEST_F(SpoolTest, ALedgerThatCannotBeWrittenKeepsTheSegments) {
  append(10);
  deliver(read_all());
  files.fault = FaultyFiles::Fault::kWrite;
  commit();
  EXPECT_EQ(segments().size(), 1u);
  files.fault = FaultyFiles::Fault::kNone;
  commit();
  EXPECT_EQ(segments().size(), 0u);
  open();
  EXPECT_EQ(spool->ledger().delivered, 10u);
}

TEST_F(SpoolTest, ADiskThatCannotBeReadIsGivenSomeTries) {
  append(10);
  files.fault = FaultyFiles::Fault::kRead;
  Batch batch;
  EXPECT_FALSE(spool->read(batch).ok());
  files.fault = FaultyFiles::Fault::kNone;
  EXPECT_EQ(read_all(), range(1, 10));
  append(10);
  spool->skip_to_end();
  open();
  files.fault = FaultyFiles::Fault::kRead;
  for (int i = 0; i < 100 && spool->unread(); ++i) static_cast<void>(spool->read(batch).ok());
  EXPECT_FALSE(spool->unread());
  commit();
  EXPECT_EQ(spool->ledger().lost[static_cast<int>(record::LossReason::kSpoolFailed)], 20u);
  check_sum();
}

}  // namespace
}  // namespace gibbon::agent
