#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>
#include <vector>

#include "../record/temporary_directory.hpp"
#include "config/health_table.hpp"

namespace gibbon::config {
namespace {

using Event = Health::Event;
using State = Health::State;

TEST(Health, FailuresTakeItOutAtTheLimitAndSuccessesBringItBack) {
  Health health;
  health = health.after(Event::kHttpFailure, 3).after(Event::kHttpFailure, 3);
  EXPECT_EQ(health.state(), State::kMostlyHealthy);
  EXPECT_TRUE(health.available());
  health = health.after(Event::kHttpFailure, 3);
  EXPECT_EQ(health.state(), State::kUnhealthy);
  EXPECT_FALSE(health.available());
  health = health.after(Event::kSuccess, 2);
  EXPECT_EQ(health.state(), State::kMostlyUnhealthy);
  EXPECT_FALSE(health.available());
  health = health.after(Event::kSuccess, 2);
  EXPECT_EQ(health.state(), State::kHealthy);
}

TEST(Health, TheOppositeEventForgetsWhatWasCounted) {
  const Health failed =
      Health().after(Event::kTcpFailure, 3).after(Event::kTimeout, 3).after(Event::kHttpFailure, 3);
  EXPECT_EQ(failed.count(Event::kTcpFailure), 1);
  EXPECT_EQ(failed.count(Event::kTimeout), 1);
  EXPECT_EQ(failed.count(Event::kHttpFailure), 1);
  const Health succeeded = failed.after(Event::kSuccess, 5);
  EXPECT_EQ(succeeded.count(Event::kTcpFailure), 0);
  EXPECT_EQ(succeeded.count(Event::kTimeout), 0);
  EXPECT_EQ(succeeded.count(Event::kSuccess), 1);
  EXPECT_EQ(succeeded.after(Event::kTcpFailure, 3).count(Event::kSuccess), 0);
}

TEST(Health, EachKindOfFailureCountsForItself) {
  Health health;
  for (int i = 0; i < 2; ++i) health = health.after(Event::kTcpFailure, 3).after(Event::kHttpFailure, 3);
  EXPECT_TRUE(health.available());
  EXPECT_FALSE(health.after(Event::kHttpFailure, 3).available());
}

TEST(Health, ALimitOfZeroCountsNothing) {
  EXPECT_EQ(Health().after(Event::kTcpFailure, 0), Health());
  EXPECT_EQ(Health::forced(State::kUnhealthy).after(Event::kSuccess, 0), Health::forced(State::kUnhealthy));
}

TEST(Health, NothingIsCountedTowardsAStateThatIsReached) {
  EXPECT_EQ(Health().after(Event::kSuccess, 1), Health());
  const Health out = Health::forced(State::kUnhealthy);
  EXPECT_EQ(out.after(Event::kTimeout, 1), out);
}

TEST(Health, CountersEndAt255) {
  Health health = Health::forced(State::kUnhealthy);
  for (int i = 0; i < 300; ++i) health = health.after(Event::kSuccess, 1000);
  EXPECT_EQ(health.count(Event::kSuccess), 255);
  EXPECT_EQ(health.count(Event::kHttpFailure), 0);
}

TEST(Health, AStatusIsWhatTheListsSay) {
  Healthcheck check;
  check.healthy_statuses = {200, 302};
  check.unhealthy_statuses = {500};
  check.successes = 2;
  check.http_failures = 4;
  EXPECT_EQ(status_report(check, 302).event, Event::kSuccess);
  EXPECT_EQ(status_report(check, 302).limit, 2u);
  EXPECT_EQ(status_report(check, 500).limit, 4u);
  EXPECT_EQ(status_report(check, 0).limit, 4u);
  EXPECT_EQ(status_report(check, 404).limit, 0u);
}

TEST(Health, PassiveSuccessesAloneAreNoCheck) {
  Upstream upstream;
  upstream.passive.successes = 5;
  EXPECT_FALSE(has_health_checks(upstream));
  upstream.passive.timeouts = 1;
  EXPECT_TRUE(has_health_checks(upstream));
}

class HealthTableTest : public ::testing::Test {
 protected:
  testing::TemporaryDirectory directory_{"/dev/shm"};
  HealthTable open() { return HealthTable::open(directory_.path()).value(); }
};

TEST_F(HealthTableTest, TwoMappingsShareTheCells) {
  HealthTable one = open(), two = open();
  const auto key = HealthTable::key("upstream", "host", "10.0.0.1", 80);
  HealthTable::Cell* cell = one.claim(key);
  ASSERT_NE(cell, nullptr);
  const auto epoch = two.epoch();
  EXPECT_FALSE(one.report(*cell, {Event::kTcpFailure, 2}));
  EXPECT_EQ(two.epoch(), epoch);
  EXPECT_TRUE(one.report(*cell, {Event::kTcpFailure, 2}));
  EXPECT_NE(two.epoch(), epoch);
  ASSERT_NE(two.find(key), nullptr);
  EXPECT_FALSE(HealthTable::health(*two.find(key)).available());
  EXPECT_TRUE(two.force(key, State::kHealthy));
  EXPECT_EQ(HealthTable::health(*cell), Health());
}

TEST_F(HealthTableTest, EveryPartOfTheKeyCounts) {
  const auto key = HealthTable::key("u", "h", "10.0.0.1", 80);
  EXPECT_NE(key, HealthTable::key("v", "h", "10.0.0.1", 80));
  EXPECT_NE(key, HealthTable::key("u", "i", "10.0.0.1", 80));
  EXPECT_NE(key, HealthTable::key("u", "h", "10.0.0.2", 80));
  EXPECT_NE(key, HealthTable::key("u", "h", "10.0.0.1", 81));
}

TEST_F(HealthTableTest, AnAddressThatIsClaimedAgainKeepsItsHealth) {
  HealthTable table = open();
  HealthTable::Cell* cell = table.claim(7);
  table.report(*cell, {Event::kTimeout, 1});
  EXPECT_EQ(open().claim(7)->health.load(), cell->health.load());
}

TEST_F(HealthTableTest, AnAddressThatNobodyUsedForLongBeginsAnew) {
  HealthTable table = open();
  HealthTable::Cell* cell = table.claim(7);
  table.report(*cell, {Event::kTimeout, 1});
  cell->used_at = cell->used_at - HealthTable::kKeptSeconds - 1;
  EXPECT_TRUE(HealthTable::health(*table.claim(7)).available());
}

TEST_F(HealthTableTest, AFullTableGivesAwayWhatNobodyUses) {
  HealthTable table = open();
  for (std::uint64_t key = 1; key <= HealthPage::kCells; ++key) ASSERT_NE(table.claim(key), nullptr);
  EXPECT_EQ(table.claim(HealthPage::kCells + 1), nullptr);
  HealthTable::Cell* old = table.claim(5);
  table.report(*old, {Event::kTimeout, 1});
  old->used_at = old->used_at - HealthTable::kKeptSeconds - 1;
  EXPECT_EQ(table.claim(HealthPage::kCells + 1), old);
  EXPECT_TRUE(HealthTable::health(*old).available());
  EXPECT_FALSE(HealthTable::keep(*old, 5));
  EXPECT_EQ(table.find(5), nullptr);
}

TEST_F(HealthTableTest, ProcessesThatReportAtOnceLoseNoFailure) {
  HealthTable table = open();
  HealthTable::Cell* cell = table.claim(3);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) table.report(*cell, {Event::kTcpFailure, 255});
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(HealthTable::health(*cell).count(Event::kTcpFailure), 200);
}

TEST_F(HealthTableTest, AFileOfAnotherKindIsReplaced) {
  std::ofstream(directory_.path() + "/health") << "something else";
  EXPECT_NE(open().claim(1), nullptr);
  EXPECT_NE(open().find(1), nullptr);
}

TEST_F(HealthTableTest, OneProcessHoldsTheLeaseAndItsDeathEndsIt) {
  HealthTable table = open();
  int go[2], held[2];
  ASSERT_EQ(pipe(go), 0);
  ASSERT_EQ(pipe(held), 0);
  const pid_t child = fork();
  if (child == 0) {
    const char answer = open().hold_lease() ? 1 : 0;
    char byte;
    if (write(held[1], &answer, 1) != 1 || read(go[0], &byte, 1) != 1) _exit(1);
    _exit(0);
  }
  char answer = 0;
  ASSERT_EQ(read(held[0], &answer, 1), 1);
  EXPECT_EQ(answer, 1);
  EXPECT_FALSE(table.hold_lease());
  ASSERT_EQ(write(go[1], "", 1), 1);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(table.hold_lease());
  EXPECT_TRUE(table.hold_lease());
  table.release_lease();
  EXPECT_TRUE(open().hold_lease());
}

}  // namespace
}  // namespace gibbon::config
