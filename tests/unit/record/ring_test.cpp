#include "record/ring.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <cstring>
#include <random>
#include <thread>

#include "temporary_directory.hpp"

namespace gibbon::record {
namespace {

using gibbon::testing::TemporaryDirectory;

/// A record whose content follows from its number, so that the reader can tell whether it is whole.
std::size_t sample_size(std::uint64_t n) { return sizeof(RecordHead) + 8 + (n * 37) % 700; }

bool push_sample(RingProducer& producer, std::uint64_t n) {
  const std::size_t size = sample_size(n);
  std::byte* to = producer.reserve(size, 7);
  if (to == nullptr) return false;
  std::memcpy(to + sizeof(RecordHead), &n, sizeof n);
  for (std::size_t i = sizeof(RecordHead) + 8; i < size; ++i) to[i] = static_cast<std::byte>(n + i);
  producer.commit();
  return true;
}

/// The number in the record, or 0 where its content is not what was written.
std::uint64_t check_sample(const RingConsumer::Item& item) {
  std::uint64_t n = 0;
  if (item.type != 7 || item.bytes.size() < sizeof(RecordHead) + 8) return 0;
  std::memcpy(&n, item.bytes.data() + sizeof(RecordHead), sizeof n);
  const std::size_t size = sample_size(n);
  if (item.bytes.size() != ((size + 7) & ~std::size_t{7})) return 0;
  for (std::size_t i = sizeof(RecordHead) + 8; i < size; ++i)
    if (item.bytes[i] != static_cast<std::byte>(n + i)) return 0;
  return n;
}

Outcomes delivered(std::uint64_t n) {
  Outcomes outcomes;
  outcomes.delivered = n;
  return outcomes;
}

RingConsumer consumer_of(const TemporaryDirectory& directory, std::uint32_t slot = 0) {
  Result<RingMapping> mapping = RingMapping::open(directory.path() + "/ring." + std::to_string(slot));
  EXPECT_TRUE(mapping.ok()) << (mapping.ok() ? "" : mapping.error().message);
  return RingConsumer(std::move(mapping).value(), slot);
}

TEST(Ring, PassesRecordsInOrderAndWrapsAround) {
  TemporaryDirectory directory;
  auto producer = RingProducer::claim(directory.path(), 8192);
  ASSERT_TRUE(producer.ok());
  RingConsumer consumer = consumer_of(directory);
  RingConsumer::Item item;
  EXPECT_FALSE(consumer.next(&item));
  for (std::uint64_t n = 1; n <= 1000; ++n) {
    ASSERT_TRUE(push_sample(*producer, n));
    EXPECT_EQ(consumer.unreleased_records(), 1u);
    ASSERT_TRUE(consumer.next(&item));
    ASSERT_EQ(check_sample(item), n);
    EXPECT_EQ(item.seq, n);
    consumer.release(item.end, delivered(1));
    EXPECT_EQ(consumer.unreleased_bytes(), 0u);
  }
  EXPECT_EQ(consumer.ledger().records, 1000u);
  EXPECT_EQ(consumer.ledger().outcomes.delivered, 1000u);
  EXPECT_GT(consumer.ledger().tail, 8192u * 10);
}

TEST(Ring, CountsWhatDoesNotFit) {
  TemporaryDirectory directory;
  auto producer = RingProducer::claim(directory.path(), 4096);
  ASSERT_TRUE(producer.ok());
  RingConsumer consumer = consumer_of(directory);
  EXPECT_EQ(producer->reserve(4097, 7), nullptr);
  EXPECT_EQ(producer->header().dropped[static_cast<int>(DropReason::kTooLarge)].load(), 1u);
  ASSERT_NE(producer->reserve(4096, 7), nullptr);  // exactly the ring
  producer->commit();
  EXPECT_EQ(producer->reserve(1, 7), nullptr);
  EXPECT_EQ(producer->header().dropped[static_cast<int>(DropReason::kRingFull)].load(), 1u);
  RingConsumer::Item item;
  ASSERT_TRUE(consumer.next(&item));
  EXPECT_EQ(item.bytes.size(), 4096u);
  EXPECT_EQ(producer->reserve(1, 7), nullptr);  // read, but not released
  consumer.release(item.end, delivered(1));
  EXPECT_NE(producer->reserve(1, 7), nullptr);
}

TEST(Ring, AReservedRecordThatIsNotCommittedNeverWas) {
  TemporaryDirectory directory;
  {
    auto producer = RingProducer::claim(directory.path(), 4096);
    ASSERT_TRUE(push_sample(*producer, 1));
    ASSERT_NE(producer->reserve(100, 7), nullptr);
  }
  auto successor = RingProducer::claim(directory.path(), 4096);
  ASSERT_TRUE(successor.ok());
  ASSERT_TRUE(push_sample(*successor, 2));
  RingConsumer consumer = consumer_of(directory);
  RingConsumer::Item item;
  for (std::uint64_t n = 1; n <= 2; ++n) {
    ASSERT_TRUE(consumer.next(&item));
    EXPECT_EQ(check_sample(item), n);
    EXPECT_EQ(item.seq, n);
  }
  EXPECT_FALSE(consumer.next(&item));
}

TEST(Ring, AWorkerThatDiedBetweenHeadAndCountIsCountedByTheNext) {
  TemporaryDirectory directory;
  {
    auto producer = RingProducer::claim(directory.path(), 4096);
    for (std::uint64_t n = 1; n <= 3; ++n) ASSERT_TRUE(push_sample(*producer, n));
    producer->header().pushed.store(2);  // the last store of commit() did not happen
  }
  RingConsumer consumer = consumer_of(directory);
  RingConsumer::Item item;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(consumer.next(&item));
  EXPECT_EQ(consumer.captured_records(), 3u);
  auto successor = RingProducer::claim(directory.path(), 4096);
  EXPECT_EQ(successor->header().pushed.load(), 3u);
  ASSERT_TRUE(push_sample(*successor, 4));
  ASSERT_TRUE(consumer.next(&item));
  EXPECT_EQ(item.seq, 4u);
  EXPECT_EQ(item.type, 7u);
}

TEST(Ring, ALiveWorkersSlotIsLeftAlone) {
  TemporaryDirectory directory;
  auto first = RingProducer::claim(directory.path(), 4096);
  auto second = RingProducer::claim(directory.path(), 4096);
  EXPECT_EQ(first->slot(), 0u);
  EXPECT_EQ(second->slot(), 1u);
  RingConsumer consumer = consumer_of(directory, 1);
  EXPECT_FALSE(consumer.abandoned());
  second = Error{"gone", {}};
  EXPECT_TRUE(consumer.abandoned());
  EXPECT_EQ(RingProducer::claim(directory.path(), 4096)->slot(), 1u);
}

TEST(Ring, AnotherSizeReplacesAnEmptyRingAlone) {
  TemporaryDirectory directory;
  std::uint64_t id = 0;
  {
    auto producer = RingProducer::claim(directory.path(), 4096);
    ASSERT_TRUE(push_sample(*producer, 1));
    id = producer->header().id;
  }
  EXPECT_EQ(RingProducer::claim(directory.path(), 8192)->slot(), 1u);
  {
    RingConsumer consumer = consumer_of(directory);
    RingConsumer::Item item;
    ASSERT_TRUE(consumer.next(&item));
    consumer.release(item.end, delivered(1));
  }
  auto producer = RingProducer::claim(directory.path(), 8192);
  ASSERT_TRUE(producer.ok());
  EXPECT_EQ(producer->slot(), 0u);
  EXPECT_EQ(producer->header().capacity, 8192u);
  EXPECT_EQ(producer->header().id, id);
  ASSERT_TRUE(push_sample(*producer, 2));
  RingConsumer consumer = consumer_of(directory);
  EXPECT_EQ(consumer.ledger().outcomes.delivered, 1u);
  RingConsumer::Item item;
  ASSERT_TRUE(consumer.next(&item));
  EXPECT_EQ(item.seq, 2u);
  EXPECT_EQ(check_sample(item), 2u);
}

TEST(Ring, DamageIsOneItemThatCountsAllThatIsLost) {
  TemporaryDirectory directory;
  auto producer = RingProducer::claim(directory.path(), 65536);
  RingConsumer consumer = consumer_of(directory);
  for (std::uint64_t n = 1; n <= 5; ++n) ASSERT_TRUE(push_sample(*producer, n));
  RingConsumer::Item item;
  ASSERT_TRUE(consumer.next(&item));
  const std::uint32_t nonsense = 0xFFFFFFF8;
  std::memcpy(const_cast<std::byte*>(item.bytes.data()) + item.bytes.size(), &nonsense, sizeof nonsense);
  ASSERT_TRUE(consumer.next(&item));
  EXPECT_EQ(item.type, kDamagedRecord);
  EXPECT_EQ(item.records, 4u);
  EXPECT_EQ(item.seq, 5u);
  Outcomes outcomes = delivered(1);
  outcomes.lost[static_cast<int>(LossReason::kDamaged)] = item.records;
  consumer.release(item.end, outcomes);
  EXPECT_EQ(consumer.unreleased_records(), 0u);
  EXPECT_EQ(consumer.unreleased_bytes(), 0u);
  ASSERT_TRUE(push_sample(*producer, 6));
  ASSERT_TRUE(consumer.next(&item));
  EXPECT_EQ(check_sample(item), 6u);
}

TEST(Ring, ForeignAndDamagedFilesAreRefused) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/ring.0";
  ASSERT_TRUE(RingMapping::create(path, 4096).ok());
  EXPECT_FALSE(RingMapping::create(path, 4096).ok());
  {
    auto mapping = RingMapping::open(path);
    ASSERT_TRUE(mapping.ok());
    mapping->header().head = 8;
    mapping->header().tail = 16;
  }
  EXPECT_FALSE(RingMapping::open(path).ok());
  std::FILE* file = std::fopen(path.c_str(), "w");
  std::fputs("something else", file);
  std::fclose(file);
  EXPECT_FALSE(RingMapping::open(path).ok());
  EXPECT_FALSE(RingMapping::open(directory.path() + "/ring.7").ok());
  EXPECT_EQ(RingProducer::claim(directory.path(), 4096)->slot(), 1u);
}

TEST(RingLedger, AnAgentKilledBeforeTheSwitchFindsTheOldLedgerWhole) {
  TemporaryDirectory directory;
  auto producer = RingProducer::claim(directory.path(), 65536);
  RingConsumer::Item item;
  {
    RingConsumer consumer = consumer_of(directory);
    for (std::uint64_t n = 1; n <= 3; ++n) ASSERT_TRUE(push_sample(*producer, n));
    ASSERT_TRUE(consumer.next(&item));
    consumer.release(item.end, delivered(1));
  }
  RingHeader& header = producer->header();
  header.ledgers[1 - header.current_ledger.load()] = RingLedger{~0ull, 99, {}};  // half written
  RingConsumer again = consumer_of(directory);
  EXPECT_EQ(again.ledger().records, 1u);
  ASSERT_TRUE(again.next(&item));
  EXPECT_EQ(check_sample(item), 2u);
}

TEST(RingLedger, AnAgentKilledBeforeTheTailGoesOnFromTheLedger) {
  TemporaryDirectory directory;
  auto producer = RingProducer::claim(directory.path(), 65536);
  RingConsumer::Item item;
  {
    RingConsumer consumer = consumer_of(directory);
    for (std::uint64_t n = 1; n <= 2; ++n) ASSERT_TRUE(push_sample(*producer, n));
    ASSERT_TRUE(consumer.next(&item));
    consumer.release(item.end, delivered(1));
  }
  producer->header().tail.store(0);
  RingConsumer again = consumer_of(directory);
  EXPECT_EQ(again.unreleased_records(), 1u);
  ASSERT_TRUE(again.next(&item));
  EXPECT_EQ(check_sample(item), 2u);
  EXPECT_NE(producer->header().tail.load(), 0u);
}

TEST(Ring, ProducerAndConsumerInTwoThreads) {
  TemporaryDirectory directory;
  auto producer = RingProducer::claim(directory.path(), 16384);
  RingConsumer consumer = consumer_of(directory);
  constexpr std::uint64_t kRecords = 50000;
  std::thread writer([&] {
    for (std::uint64_t n = 1; n <= kRecords;) {
      if (push_sample(*producer, n)) ++n;
      else std::this_thread::yield();
    }
  });
  RingConsumer::Item item;
  for (std::uint64_t n = 1; n <= kRecords;) {
    if (!consumer.next(&item)) {
      std::this_thread::yield();
      continue;
    }
    if (check_sample(item) != n) {
      ADD_FAILURE() << "record " << n << " is not what was written";
      consumer.release(item.end, delivered(item.records));
      break;
    }
    if (n % 3 == 0 || n == kRecords) consumer.release(item.end, delivered(n - consumer.ledger().records));
    ++n;
    if (consumer.unreleased_bytes() > 8192 && consumer.ledger().records < item.seq)
      consumer.release(item.end, delivered(item.seq - consumer.ledger().records));
  }
  writer.join();
  EXPECT_EQ(consumer.ledger().outcomes.delivered, kRecords);
}

/// Workers that are killed at any instruction, one after the other in one slot: no record is torn, none is missing
/// between the first and the last, none comes twice.
TEST(Ring, SurvivesKilledWorkers) {
  TemporaryDirectory directory;
  std::mt19937 random(20250723);
  std::uint64_t expected = 0, lives = 0;
  std::optional<RingConsumer> consumer;
  while (lives < 25) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto producer = RingProducer::claim(directory.path(), 65536);
      if (!producer || producer->slot() != 0) ::_exit(3);
      std::uint64_t n = producer->header().pushed.load() + 1;
      char yes = 1;
      if (::write(ready[1], &yes, 1) != 1) ::_exit(4);
      for (;;)
        if (push_sample(*producer, n)) ++n;
    }
    ::close(ready[1]);
    char yes = 0;
    const bool started = ::read(ready[0], &yes, 1) == 1;
    ::close(ready[0]);
    if (started && !consumer) consumer.emplace(consumer_of(directory));
    const std::uint64_t enough = expected + 50 + random() % 500;
    RingConsumer::Item item;
    auto drain_one = [&] {
      if (!consumer->next(&item)) return false;
      EXPECT_EQ(check_sample(item), expected + 1);
      EXPECT_EQ(item.seq, expected + 1);
      expected = item.seq;
      consumer->release(item.end, delivered(1));
      return true;
    };
    while (started && expected < enough && !::testing::Test::HasFailure()) drain_one();
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(started) << "the worker ended with " << WEXITSTATUS(status);
    if (lives % 2 == 0)  // what a dead worker left, before or after its successor comes
      while (drain_one() && !::testing::Test::HasFailure()) {
      }
    ASSERT_FALSE(::testing::Test::HasFailure());
    ++lives;
  }
  EXPECT_GE(expected, 25u * 50);
}

}  // namespace
}  // namespace gibbon::record
