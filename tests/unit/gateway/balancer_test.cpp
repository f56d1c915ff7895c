#include "gateway/balancer/balancer.hpp"

#include <gtest/gtest.h>

#include <map>

#include "../record/temporary_directory.hpp"
#include "base/hash.hpp"

namespace gibbon::gateway {
namespace {

using config::TargetPlan;
using Kind = config::Upstream::Algorithm;

TargetPlan plan(const std::string& target, std::uint32_t weight = 100) {
  config::Target entity;
  entity.target = target;
  entity.weight = weight;
  return TargetPlan::parse(entity);
}

config::Upstream upstream_of(Kind kind) {
  config::Upstream upstream;
  upstream.id = "3a1f4bb1-6a43-4cc4-a2a5-3d3a9ab7f0fe";
  upstream.name = "test";
  upstream.algorithm = kind;
  return upstream;
}

HostAnswer addresses(std::initializer_list<const char*> texts) {
  HostAnswer answer;
  answer.kind = HostAnswer::Kind::kA;
  for (const char* text : texts) answer.endpoints.push_back({*Address::parse(text), 0, std::nullopt, {}});
  return answer;
}

/// A balancer whose targets are addresses of 10.0.0.0/8, known by their last number.
class BalancerTest : public ::testing::Test {
 protected:
  testing::TemporaryDirectory directory_{"/dev/shm"};
  config::HealthTable table_{config::HealthTable::open(directory_.path()).value()};
  Balancer balancer_{&table_, 1};
  config::Upstream upstream_ = upstream_of(Kind::kRoundRobin);

  void configure(const std::vector<TargetPlan>& targets) {
    balancer_.configure(upstream_, targets);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const auto literal = Address::parse(targets[i].host);
      if (literal) balancer_.set_answer(i, HostAnswer::literal(*literal));
    }
  }

  std::string pick(std::optional<std::uint64_t> hash = {}) {
    Peer* peer = balancer_.pick({.hash = hash});
    if (peer == nullptr) return "none";
    const std::string name = peer->name;
    Balancer::leave(*peer);
    return name;
  }

  std::map<std::string, int> picks(int count) {
    std::map<std::string, int> seen;
    for (int i = 0; i < count; ++i) ++seen[pick()];
    return seen;
  }

  Peer& peer(std::size_t target, std::size_t index = 0) { return *balancer_.targets()[target].peers[index]; }
};

TEST_F(BalancerTest, RoundRobinFollowsTheWeightsExactly) {
  configure({plan("10.0.0.1:80", 5), plan("10.0.0.2:80", 1), plan("10.0.0.3:80", 2), plan("10.0.0.4:80", 0)});
  for (int round = 0; round < 3; ++round) {
    auto seen = picks(800);
    EXPECT_NEAR(seen["10.0.0.1:80"], 500, 1);
    EXPECT_NEAR(seen["10.0.0.2:80"], 100, 1);
    EXPECT_NEAR(seen["10.0.0.3:80"], 200, 1);
    EXPECT_EQ(seen.count("10.0.0.4:80"), 0u);
  }
}

TEST_F(BalancerTest, RoundRobinSpreadsAPeersTurnsEvenly) {
  configure({plan("10.0.0.1:80", 100), plan("10.0.0.2:80", 100)});
  std::string before = pick();
  for (int i = 0; i < 20; ++i) {
    const std::string now = pick();
    EXPECT_NE(now, before);
    before = now;
  }
}

TEST_F(BalancerTest, ATargetThatJoinsGetsItsShareAndNoMore) {
  configure({plan("10.0.0.1:80"), plan("10.0.0.2:80")});
  picks(1001);
  configure({plan("10.0.0.1:80"), plan("10.0.0.2:80"), plan("10.0.0.3:80")});
  auto seen = picks(300);
  EXPECT_NEAR(seen["10.0.0.3:80"], 100, 1);
  configure({plan("10.0.0.1:80", 100), plan("10.0.0.2:80", 300)});
  seen = picks(400);
  EXPECT_NEAR(seen["10.0.0.1:80"], 100, 1);
  EXPECT_NEAR(seen["10.0.0.2:80"], 300, 1);
}

TEST_F(BalancerTest, EachAddressOfANameHasItsTargetsWeight) {
  configure({plan("name.test:80", 100), plan("10.0.0.9:80", 100)});
  EXPECT_TRUE(balancer_.pending());
  EXPECT_EQ(picks(10)["10.0.0.9:80"], 10);
  balancer_.set_answer(0, addresses({"10.0.0.1", "10.0.0.2"}));
  EXPECT_FALSE(balancer_.pending());
  auto seen = picks(300);
  EXPECT_NEAR(seen["10.0.0.1:80"], 100, 1);
  EXPECT_NEAR(seen["10.0.0.2:80"], 100, 1);
  EXPECT_EQ(peer(0).host_name, "name.test");
  EXPECT_EQ(peer(0).host_and_port, "name.test:80");
}

TEST_F(BalancerTest, ServiceRecordsBringPortAndWeight) {
  HostAnswer answer;
  answer.kind = HostAnswer::Kind::kSrv;
  answer.endpoints = {{*Address::parse("10.0.0.1"), 8001, 30, "a.test"},
                      {*Address::parse("10.0.0.1"), 8002, 0, "b.test"},
                      {*Address::parse("10.0.0.2"), 0, 9, "c.test"}};
  upstream_.use_srv_name = true;
  configure({plan("srv.test:80")});
  balancer_.set_answer(0, answer);
  auto seen = picks(400);
  EXPECT_NEAR(seen["10.0.0.1:8001"], 300, 1);
  EXPECT_NEAR(seen["10.0.0.1:8002"], 10, 1);
  EXPECT_NEAR(seen["10.0.0.2:80"], 90, 1);
  EXPECT_EQ(peer(0).host_name, "a.test");
  upstream_.use_srv_name = false;
  configure({plan("srv.test:80")});
  EXPECT_EQ(peer(0).host_name, "srv.test");
  upstream_.host_header = "fixed.test";
  configure({plan("srv.test:80")});
  EXPECT_EQ(peer(0).host_and_port, "fixed.test:8001");
}

TEST_F(BalancerTest, AFailedPeerIsNotPickedAgainWhileOthersRemain) {
  for (const Kind kind :
       {Kind::kRoundRobin, Kind::kConsistentHashing, Kind::kLeastConnections, Kind::kLatency}) {
    upstream_.algorithm = kind;
    configure({plan("10.0.0.1:80", 1000), plan("10.0.0.2:80", 1), plan("10.0.0.3:80", 1)});
    std::vector<Peer*> failed;
    for (int i = 0; i < 3; ++i) {
      Peer* next = balancer_.pick({.hash = 99, .failed = failed});
      ASSERT_NE(next, nullptr);
      EXPECT_EQ(std::count(failed.begin(), failed.end(), next), 0);
      failed.push_back(next);
    }
    Peer* again = balancer_.pick({.hash = 99, .failed = failed});
    EXPECT_NE(again, nullptr);  // All have failed: they are tried anew.
    Balancer::leave(*again);
    for (Peer* peer : failed) Balancer::leave(*peer);
  }
}

TEST_F(BalancerTest, AHashAlwaysFindsTheSamePeer) {
  upstream_.algorithm = Kind::kConsistentHashing;
  configure({plan("10.0.0.1:80"), plan("10.0.0.2:80"), plan("10.0.0.3:80")});
  Balancer other(nullptr, 77);  // Another worker.
  other.configure(upstream_, std::vector{plan("10.0.0.3:80"), plan("10.0.0.1:80"), plan("10.0.0.2:80")});
  for (std::size_t i = 0; i < 3; ++i)
    other.set_answer(i, HostAnswer::literal(*Address::parse(other.targets()[i].plan.host)));
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t hash = stable_hash(std::to_string(i));
    const std::string name = pick(hash);
    EXPECT_EQ(pick(hash), name);
    Peer* there = other.pick({.hash = hash});
    EXPECT_EQ(there->name, name);
    Balancer::leave(*there);
  }
}

TEST_F(BalancerTest, HashesFollowTheWeights) {
  upstream_.algorithm = Kind::kConsistentHashing;
  configure({plan("10.0.0.1:80", 300), plan("10.0.0.2:80", 100)});
  int first = 0;
  for (int i = 0; i < 20000; ++i) first += pick(stable_hash(std::to_string(i))) == "10.0.0.1:80" ? 1 : 0;
  EXPECT_NEAR(first, 15000, 300);
}

TEST_F(BalancerTest, ATargetThatGoesMovesOnlyItsShare) {
  upstream_.algorithm = Kind::kConsistentHashing;
  const std::vector all{plan("10.0.0.1:80", 10), plan("10.0.0.2:80", 20), plan("10.0.0.3:80", 30)};
  configure(all);
  std::map<int, std::string> before;
  for (int i = 0; i < 5000; ++i) before[i] = pick(stable_hash(std::to_string(i)));
  configure({all[0], all[2]});
  int moved = 0, to_first = 0;
  for (const auto& [i, name] : before) {
    const std::string now = pick(stable_hash(std::to_string(i)));
    if (name == "10.0.0.2:80") {
      ++moved;
      to_first += now == "10.0.0.1:80" ? 1 : 0;
    } else {
      EXPECT_EQ(now, name);
    }
  }
  EXPECT_NEAR(moved, 5000 / 3, 120);
  EXPECT_NEAR(to_first, moved / 4, 80);  // Its share goes to the others by their weights.
  configure(all);
  for (const auto& [i, name] : before) EXPECT_EQ(pick(stable_hash(std::to_string(i))), name);
}

TEST_F(BalancerTest, WithoutAHashTheRequestsAreSpread) {
  upstream_.algorithm = Kind::kConsistentHashing;
  configure({plan("10.0.0.1:80"), plan("10.0.0.2:80")});
  EXPECT_EQ(picks(100)["10.0.0.1:80"], 50);
}

TEST_F(BalancerTest, LeastConnectionsLooksAtWeightsToo) {
  upstream_.algorithm = Kind::kLeastConnections;
  configure({plan("10.0.0.1:80", 100), plan("10.0.0.2:80", 200)});
  std::vector<Peer*> held;
  for (int i = 0; i < 30; ++i) held.push_back(balancer_.pick({}));
  EXPECT_EQ(peer(0).connections, 10u);
  EXPECT_EQ(peer(1).connections, 20u);
  for (Peer* each : held)
    if (each->name == "10.0.0.1:80") Balancer::leave(*each);
  EXPECT_EQ(pick(), "10.0.0.1:80");
  for (Peer* each : held)
    if (each->name == "10.0.0.2:80") Balancer::leave(*each);
}

TEST_F(BalancerTest, LeastConnectionsTakesTurnsWhileAllAreIdle) {
  upstream_.algorithm = Kind::kLeastConnections;
  configure({plan("10.0.0.1:80"), plan("10.0.0.2:80")});
  EXPECT_EQ(picks(10)["10.0.0.1:80"], 5);
}

TEST_F(BalancerTest, LatencyPrefersTheFastAndForgets) {
  upstream_.algorithm = Kind::kLatency;
  configure({plan("10.0.0.1:80"), plan("10.0.0.2:80")});
  balancer_.saw_latency(peer(0), 200, 1000);
  balancer_.saw_latency(peer(1), 20, 1000);
  EXPECT_DOUBLE_EQ(peer(0).latency_ms, 200);
  EXPECT_EQ(picks(10)["10.0.0.2:80"], 10);
  // 10 s later the new value counts for 1 - 1/e.
  balancer_.saw_latency(peer(1), 1000, 11000);
  EXPECT_NEAR(peer(1).latency_ms, 20 / 2.718281828 + 1000 * (1 - 1 / 2.718281828), 0.01);
  Peer* next = balancer_.pick({.now_ms = 11000});
  EXPECT_EQ(next->name, "10.0.0.1:80");
  Balancer::leave(*next);
  // One that is new begins with the average of the others.
  configure({plan("10.0.0.1:80"), plan("10.0.0.2:80"), plan("10.0.0.3:80")});
  EXPECT_NEAR(peer(2).latency_ms, (peer(0).latency_ms + peer(1).latency_ms) / 2, 0.01);
}

class HealthyBalancer : public BalancerTest {
 protected:
  HealthyBalancer() {
    upstream_.passive.tcp_failures = 2;
    upstream_.passive.http_failures = 3;
    upstream_.passive.timeouts = 1;
    upstream_.passive.successes = 1;
    upstream_.passive.healthy_statuses = {200};
    upstream_.passive.unhealthy_statuses = {500};
  }
};

TEST_F(HealthyBalancer, WhatOneWorkerSawKeepsAllOthersAway) {
  configure({plan("10.0.0.1:80"), plan("10.0.0.2:80")});
  Balancer other(&table_, 5);
  other.configure(upstream_, std::vector{plan("10.0.0.1:80")});
  other.set_answer(0, HostAnswer::literal(*Address::parse("10.0.0.1")));
  EXPECT_EQ(picks(10)["10.0.0.1:80"], 5);
  Peer* peer = other.pick({});
  other.saw_tcp_failure(*peer);
  other.saw_tcp_failure(*peer);
  Balancer::leave(*peer);
  EXPECT_EQ(other.pick({}), nullptr);
  EXPECT_EQ(picks(10)["10.0.0.2:80"], 10);
  table_.force(this->peer(0).health_key, config::Health::State::kHealthy);
  EXPECT_EQ(picks(10)["10.0.0.1:80"], 5);
}

TEST_F(HealthyBalancer, StatusesAndTimeoutsCount) {
  configure({plan("10.0.0.1:80"), plan("10.0.0.2:80")});
  for (int i = 0; i < 2; ++i) balancer_.saw_status(peer(0), 500);
  balancer_.saw_status(peer(0), 404);
  EXPECT_EQ(picks(10)["10.0.0.1:80"], 5);
  balancer_.saw_status(peer(0), 500);
  balancer_.saw_timeout(peer(1));
  EXPECT_EQ(pick(), "none");
  balancer_.saw_status(peer(1), 200);
  EXPECT_EQ(pick(), "10.0.0.2:80");
}

TEST_F(HealthyBalancer, BelowTheThresholdTheWholeUpstreamIsOut) {
  upstream_.health_threshold = 50;
  configure({plan("10.0.0.1:80", 60), plan("10.0.0.2:80", 40)});
  balancer_.saw_timeout(peer(1));
  EXPECT_EQ(pick(), "10.0.0.1:80");
  table_.force(peer(1).health_key, config::Health::State::kHealthy);
  balancer_.saw_timeout(peer(0));
  EXPECT_EQ(pick(), "none");
  EXPECT_FALSE(balancer_.healthy());
}

TEST_F(HealthyBalancer, WithoutChecksNothingIsOut) {
  configure({plan("10.0.0.1:80")});
  balancer_.saw_timeout(peer(0));
  EXPECT_EQ(pick(), "none");
  upstream_.passive = {};
  configure({plan("10.0.0.1:80")});
  EXPECT_EQ(pick(), "10.0.0.1:80");
}

TEST_F(HealthyBalancer, AnAddressThatStaysKeepsItsHealthAndTheRest) {
  configure({plan("10.0.0.1:80"), plan("10.0.0.2:80")});
  Peer* held = &peer(0);
  balancer_.saw_timeout(*held);
  configure({plan("10.0.0.3:80"), plan("10.0.0.1:80", 7)});
  EXPECT_EQ(&peer(1), held);
  EXPECT_EQ(held->weight, 7u);
  EXPECT_EQ(picks(10)["10.0.0.3:80"], 10);
}

TEST_F(HealthyBalancer, ARequestOutlivesItsPeer) {
  configure({plan("10.0.0.1:80")});
  Peer* held = balancer_.pick({});
  configure({plan("10.0.0.2:80")});
  EXPECT_TRUE(held->retired);
  EXPECT_EQ(held->name, "10.0.0.1:80");
  balancer_.saw_timeout(*held);  // Nobody's business any more.
  Balancer::leave(*held);
  EXPECT_EQ(pick(), "10.0.0.2:80");
}

TEST_F(BalancerTest, WithoutTargetsThereIsNoPeer) {
  configure({});
  EXPECT_EQ(pick(), "none");
  configure({plan("10.0.0.1:80", 0)});
  EXPECT_EQ(pick(), "none");
}

TEST(PlanUpstreams, TellsChangesByTheFingerprint) {
  config::Snapshot snapshot;
  snapshot.upstreams = {upstream_of(Kind::kRoundRobin)};
  config::Target target;
  target.upstream_id = snapshot.upstreams[0].id;
  target.target = "10.0.0.1:80";
  snapshot.targets = {target};
  const auto before = plan_upstreams(snapshot);
  ASSERT_EQ(before.size(), 1u);
  ASSERT_EQ(before[0].targets.size(), 1u);
  EXPECT_EQ(plan_upstreams(snapshot)[0].fingerprint, before[0].fingerprint);
  const auto changed = [&](auto change) {
    config::Snapshot other = snapshot;
    change(other);
    EXPECT_NE(plan_upstreams(other)[0].fingerprint, before[0].fingerprint);
  };
  changed([](config::Snapshot& s) { s.targets[0].weight = 7; });
  changed([](config::Snapshot& s) { s.targets[0].target = "10.0.0.2:80"; });
  changed([](config::Snapshot& s) { s.targets.clear(); });
  changed([](config::Snapshot& s) { s.upstreams[0].algorithm = Kind::kLatency; });
  changed([](config::Snapshot& s) { s.upstreams[0].hash_on_header = "x"; });
  changed([](config::Snapshot& s) { s.upstreams[0].hash_fallback_header = "x"; });
  changed([](config::Snapshot& s) { s.upstreams[0].passive.timeouts = 1; });
  changed([](config::Snapshot& s) { s.upstreams[0].active.timeouts = 1; });
  changed([](config::Snapshot& s) { s.upstreams[0].active.healthy_interval_s = 0.5; });
  changed([](config::Snapshot& s) { s.upstreams[0].active.headers = {{"a", {"b"}}}; });
}

}  // namespace
}  // namespace gibbon::gateway
