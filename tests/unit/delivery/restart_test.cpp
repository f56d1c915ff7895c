// The agent ends, one way or another, and another one goes on: nothing is forgotten, the books are right.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "faulty_files.hpp"
#include "fixture.hpp"

namespace gibbon::testing {
namespace {

using Reply = LogServer::Reply;

class RestartTest : public DeliveryTest {};

TEST_F(RestartTest, StopDeliversWhatItCan) {
  start();
  push(300);
  delivery->stop(20s);
  EXPECT_EQ(server.distinct(), 300u);
  EXPECT_EQ(delivery->metrics().delivered, 300u);
  EXPECT_TRUE(ring_is_empty());
}

TEST_F(RestartTest, StopPutsTheRestIntoTheSpool) {
  server.script([](const ReceivedRequest&) { return Reply{Reply::Act::kHang}; });
  start();
  push(300);
  delivery->stop(0ms);
  EXPECT_TRUE(ring_is_empty());
  EXPECT_EQ(delivery->metrics().pending_spool, 300u) << describe(delivery->metrics());
  EXPECT_EQ(server.distinct(), 0u);
  check_sum();
  server.script({});
  start();
  push(10);
  expect_all();
}

TEST_F(RestartTest, AnEndpointThatIsAwayKeepsNobodyWaiting) {
  server.stop();
  start();
  push(20);
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending_spool == 20; }));
  const auto begin = std::chrono::steady_clock::now();
  delivery->stop(60s);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
  EXPECT_EQ(delivery->metrics().pending_spool, 20u);
  server.start();
}

TEST_F(RestartTest, WhatWaitsIsDeliveredAlthoughItsPluginIsGone) {
  server.stop();
  start();
  push(20);
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending_spool == 20; }));
  delivery.reset();
  server.start();
  delivery = std::make_unique<agent::Delivery>(options());
  ASSERT_TRUE(delivery->start().ok());
  expect_all();
}

/// A reboot empties shared memory, and slots and numbers begin again: the spool's entries are no ring's.
TEST_F(RestartTest, AfterARebootNewRecordsAreNotMistakenForOldOnes) {
  server.stop();
  start();
  push(40);
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending_spool == 40; }));
  delivery.reset();
  producer.reset();
  std::filesystem::remove(shared.path() + "/ring.0");
  claim_ring();
  push(30);
  server.start();
  start();
  expect_all();
  EXPECT_EQ(delivery->metrics().captured, 70u);
}

TEST_F(RestartTest, ASpoolThatSomeoneRemovedIsCountedAsLost) {
  server.stop();
  start();
  push(15);
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending_spool == 15; }));
  delivery.reset();
  for (const auto& entry : std::filesystem::directory_iterator(spool.path()))
    std::filesystem::remove_all(entry.path());
  server.start();
  start();
  EXPECT_EQ(dropped(delivery->metrics(), "spool_lost"), 15u);
  EXPECT_EQ(delivery->metrics().pending(), 0u);
  check_sum();
}

TEST_F(RestartTest, AFailingDiskLosesNothingWhileTheRingHasRoom) {
  FaultyFiles faulty;
  files = &faulty;
  faulty.fault = FaultyFiles::Fault::kWrite;
  server.stop();
  start();
  push(100);
  ASSERT_TRUE(wait_until([&] { return faulty.failures > 1; }));
  EXPECT_EQ(delivery->metrics().pending(), 100u) << describe(delivery->metrics());
  faulty.fault = FaultyFiles::Fault::kNone;
  server.start();
  expect_all();
  delivery.reset();
}

TEST_F(RestartTest, AFailingDiskAndAFullRingCountWhatIsLost) {
  FaultyFiles faulty;
  files = &faulty;
  faulty.fault = FaultyFiles::Fault::kShortWrite;
  server.stop();
  start();
  std::uint64_t tried = 0;
  const auto lost = [&] {
    const agent::DeliveryMetrics m = delivery->metrics();
    return dropped(m, "spool_failed") + dropped(m, "ring_full");
  };
  while (tried < 100000 && lost() == 0)
    for (int i = 0; i < 100; ++i) static_cast<void>(gibbon::testing::push(*producer, numbered(++tried)));
  EXPECT_GT(lost(), 0u);
  check_sum();
  faulty.fault = FaultyFiles::Fault::kNone;
  server.start();
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending() == 0; })) << describe(delivery->metrics());
  const agent::DeliveryMetrics m = delivery->metrics();
  EXPECT_EQ(m.captured, tried);
  EXPECT_EQ(m.delivered, server.distinct());
  check_sum();
  delivery.reset();
}

/// The agent is killed at any instruction, again and again, while the endpoint is well, slow, failing and away.
TEST_F(RestartTest, SurvivesBeingKilled) {
  std::mt19937 random(20251123);
  const auto snapshot = snapshot_for(server.url(), 1, 2000);
  const auto run_agent = [&]() -> pid_t {
    const pid_t child = ::fork();
    if (child != 0) return child;
    agent::Delivery agent(options());
    if (!agent.start()) ::_exit(3);
    agent.publish(snapshot);
    for (;;) ::pause();
  };
  std::atomic<unsigned> count{0};
  for (int life = 0; life < 12; ++life) {
    const int weather = life % 4;
    if (weather == 3) {
      server.stop();
    } else {
      server.script([&, weather](const ReceivedRequest&) {
        Reply reply;
        const unsigned n = ++count;
        reply.accepts_ndjson = life % 3 != 0;
        if (weather == 1 && n % 3 == 0) reply.status = 500;
        if (weather == 1 && n % 7 == 0) reply.act = Reply::Act::kReset;
        if (weather == 2) reply.delay_ms = 20;
        return reply;
      });
    }
    const pid_t child = run_agent();
    ASSERT_GT(child, 0);
    const std::uint64_t seen_before = server.attempts();
    const int rounds = 3 + static_cast<int>(random() % 10);
    for (int i = 0; i < rounds; ++i) {
      for (int k = 0; k < 40; ++k) {
        const SampleExchange e = numbered(pushed + 1);
        ASSERT_TRUE(wait_until([&] { return gibbon::testing::push(*producer, e); }));
        ++pushed;
        expected.insert(entry_id_of(e));
      }
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 8000));
    }
    if (weather != 3) {
      EXPECT_TRUE(wait_until([&] { return server.attempts() > seen_before; }));
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself with " << WEXITSTATUS(status);
    if (weather == 3) server.start();
  }
  server.script({});
  start();
  // A push that found the ring full counted there: it was done again, and is no loss of the agent's.
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending() == 0; })) << describe(delivery->metrics());
  std::set<std::string> ids;
  for (const auto& [id, times] : server.received()) ids.insert(id);
  EXPECT_EQ(ids, expected);
  const agent::DeliveryMetrics m = delivery->metrics();
  const std::uint64_t refused = dropped(m, "ring_full");
  EXPECT_EQ(m.captured, pushed + refused) << describe(m);
  EXPECT_EQ(m.delivered, pushed) << describe(m);
  EXPECT_EQ(m.total_dropped(), refused) << describe(m);
}

}  // namespace
}  // namespace gibbon::testing
