#include <fstream>

#include "fixture.hpp"

namespace gibbon::testing {
namespace {

using Act = LogServer::Reply::Act;

LogServer::Script answers(int status, bool ndjson = false) {
  return [=](const ReceivedRequest&) {
    LogServer::Reply reply;
    reply.status = status;
    reply.accepts_ndjson = ndjson;
    return reply;
  };
}
LogServer::Script does(Act act) {
  return [=](const ReceivedRequest&) {
    LogServer::Reply reply;
    reply.act = act;
    return reply;
  };
}

TEST_F(DeliveryTest, PostsEachEntryAsOneObjectByDefault) {
  start();
  push(25);
  expect_all();
  for (const ReceivedRequest& request : server.requests()) {
    EXPECT_EQ(request.content_type, "application/json");
    ASSERT_EQ(request.entries.size(), 1u);
    EXPECT_NE(request.entries[0].find(request.idempotency_key), std::string::npos);
    EXPECT_EQ(request.idempotency_key.size(), 36u);
    EXPECT_TRUE(request.user_agent.starts_with("gibbon/")) << request.user_agent;
  }
  EXPECT_EQ(server.requests().size(), 25u);
  EXPECT_LE(server.most_connections(), 10u);
  EXPECT_TRUE(ring_is_empty());
}

TEST_F(DeliveryTest, KeepsConnections) {
  start();
  for (int i = 1; i <= 30; ++i) {
    push(1);
    ASSERT_TRUE(wait_until([&] { return server.distinct() == static_cast<std::size_t>(i); }));
  }
  expect_all();
  EXPECT_EQ(server.connections(), 1u);
}

TEST_F(DeliveryTest, SendsBatchesWhereTheyAreWelcome) {
  server.script(answers(201, true));
  start();
  push(1);
  ASSERT_TRUE(wait_until([&] { return server.distinct() == 1; }));
  push(1000);
  expect_all();
  EXPECT_LT(server.requests().size(), 500u);
  std::size_t largest = 0;
  for (const ReceivedRequest& request : server.requests()) {
    largest = std::max(largest, request.entries.size());
    EXPECT_EQ(request.content_type, request.entries.size() == 1 ? "application/json" : "application/x-ndjson");
    EXPECT_LE(request.body.size(), (1u << 20) + 4096);
  }
  EXPECT_GT(largest, 10u);

  server.script(answers(201, false));  // and goes back when an answer does not say so any more
  push(1);
  ASSERT_TRUE(wait_until([&] { return server.distinct() == 1002; }));
  const std::size_t before = server.requests().size();
  push(40);
  expect_all();
  EXPECT_EQ(server.requests().size(), before + 40);
}

TEST_F(DeliveryTest, AnEndpointThatIsDownGetsEverythingWhenItIsBack) {
  start();
  push(10);
  expect_all();
  server.stop();
  push(200);
  ASSERT_TRUE(wait_until([&] { return ring_is_empty() && delivery->metrics().pending_spool == 200; }))
      << describe(delivery->metrics());
  EXPECT_EQ(delivery->metrics().endpoints.at(0).state, agent::EndpointMetrics::State::kAway);
  EXPECT_FALSE(delivery->metrics().endpoints.at(0).last_error.empty());
  push(100);
  server.start();
  expect_all();
  EXPECT_TRUE(wait_until([&] {
    return delivery->metrics().endpoints.at(0).state == agent::EndpointMetrics::State::kDirect;
  }));
  EXPECT_TRUE(wait_until([&] { return delivery->metrics().endpoints.at(0).spool_bytes == 0; }));
  push(10);
  expect_all();
}

class DeliveryAfterStatus : public DeliveryTest, public ::testing::WithParamInterface<int> {};

TEST_P(DeliveryAfterStatus, TriesAgain) {
  server.script(answers(GetParam()));
  start();
  push(50);
  ASSERT_TRUE(wait_until([&] { return server.attempts() >= 3 && ring_is_empty(); }));
  EXPECT_EQ(server.distinct(), 0u);
  EXPECT_NE(delivery->metrics().endpoints.at(0).last_error.find(std::to_string(GetParam())), std::string::npos);
  server.script(answers(200, GetParam() % 2 == 0));
  expect_all();
}

INSTANTIATE_TEST_SUITE_P(Statuses, DeliveryAfterStatus,
                         ::testing::Values(301, 401, 403, 404, 405, 408, 425, 429, 500, 502, 503, 504));

TEST_F(DeliveryTest, HonoursRetryAfter) {
  server.script([](const ReceivedRequest&) {
    LogServer::Reply reply;
    reply.status = 503;
    reply.retry_after = "2";
    return reply;
  });
  start();
  push(1);
  ASSERT_TRUE(wait_until([&] { return server.attempts() == 1; }));
  const auto begin = std::chrono::steady_clock::now();
  server.script(answers(201));
  expect_all();
  // The only claim on time: it was asked to stay away, and the clock of the test began later than that.
  EXPECT_GT(std::chrono::steady_clock::now() - begin, 1500ms);
}

TEST_F(DeliveryTest, ConnectionsThatBreakLoseNothing) {
  std::atomic<int> count{0};
  server.script([&](const ReceivedRequest&) {
    LogServer::Reply reply;
    if (++count % 3 == 0) reply.act = Act::kReset;
    return reply;
  });
  start();
  push(100);
  ASSERT_TRUE(wait_until([&] { return count > 20; }));
  push(100);
  expect_all();
}

TEST_F(DeliveryTest, AnEndpointThatHangsDoesNotFillTheRing) {
  server.script(does(Act::kHang));
  start(/*timeout_ms=*/3000);
  push(100);
  ASSERT_TRUE(wait_until([&] { return ring_is_empty(); })) << describe(delivery->metrics());
  EXPECT_EQ(delivery->metrics().endpoints.at(0).retries, 0u) << "the ring was free before any send had ended";
  for (int i = 0; i < 20; ++i) {  // several times what the ring could hold
    push(100);
    ASSERT_TRUE(wait_until([&] { return ring_is_empty(); }));
  }
  EXPECT_EQ(server.distinct(), 0u);
  server.script(answers(201, true));
  expect_all();
}

TEST_F(DeliveryTest, AnEndpointThatIsSlowGetsEverythingOnce) {
  server.script([](const ReceivedRequest&) {
    LogServer::Reply reply;
    reply.delay_ms = 700;
    reply.accepts_ndjson = true;
    return reply;
  });
  start();
  for (int i = 0; i < 10; ++i) {
    push(60);
    ASSERT_TRUE(wait_until([&] { return ring_is_empty(); }));
  }
  expect_all();
}

TEST_F(DeliveryTest, APoisonousEntryDoesNotBlockTheRest) {
  server.script(answers(201, true));
  start();
  push(1);
  ASSERT_TRUE(wait_until([&] { return server.distinct() == 1; }));
  const std::string poison = "\"/n/77\"";
  server.script([&](const ReceivedRequest& request) {
    LogServer::Reply reply;
    reply.accepts_ndjson = true;
    if (request.body.find(poison) != std::string::npos) reply.status = 400;
    return reply;
  });
  push(300);
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending() == 0 && server.distinct() == 300; }))
      << describe(delivery->metrics());
  EXPECT_EQ(dropped(delivery->metrics(), "rejected"), 1u);
  EXPECT_EQ(delivery->metrics().delivered, 300u);
  EXPECT_FALSE(server.received().contains(entry_id_of(numbered(77))));
}

TEST_F(DeliveryTest, AnEndpointThatStopsTakingBatchesIsSentSinglePosts) {
  server.script(answers(201, true));
  start();
  push(1);
  ASSERT_TRUE(wait_until([&] { return server.distinct() == 1; }));
  server.script([](const ReceivedRequest& request) {
    LogServer::Reply reply;
    if (request.content_type == "application/x-ndjson") reply.status = 415;
    return reply;
  });
  push(100);
  expect_all();
}

TEST_F(DeliveryTest, AFullSpoolDropsTheNewestAndCountsIt) {
  spool_max_bytes = 200 << 10;
  server.stop();
  start();
  for (int i = 0; i < 10; ++i) {
    push(100);
    ASSERT_TRUE(wait_until([&] { return ring_is_empty(); }));
    check_sum();
  }
  const agent::DeliveryMetrics full = delivery->metrics();
  const std::uint64_t lost = dropped(full, "spool_full");
  EXPECT_GT(lost, 100u);
  EXPECT_LE(full.endpoints.at(0).spool_bytes, spool_max_bytes);
  EXPECT_EQ(full.pending_spool + lost, 1000u) << describe(full);
  server.start();
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending() == 0; }));
  EXPECT_EQ(server.distinct(), 1000 - lost);
  EXPECT_TRUE(server.received().contains(entry_id_of(numbered(1))));
  EXPECT_FALSE(server.received().contains(entry_id_of(numbered(1000))));
  push(50);  // there is room again
  ASSERT_TRUE(wait_until([&] { return server.distinct() == 1050 - lost; }));
}

TEST_F(DeliveryTest, WhatCannotBeEncodedOrBelongsToNoPluginIsCounted) {
  start();
  push(1);
  SampleExchange e = numbered(1001);
  e.target = "/throws";
  ASSERT_TRUE(gibbon::testing::push(*producer, e));
  e = numbered(1002);
  e.plugin_id[0] ^= 1;
  ASSERT_TRUE(gibbon::testing::push(*producer, e));
  push(1);
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending() == 0 && delivery->metrics().captured == 4; }));
  EXPECT_EQ(dropped(delivery->metrics(), "encode_failed"), 1u);
  EXPECT_EQ(dropped(delivery->metrics(), "unknown_plugin"), 1u);
  EXPECT_EQ(server.distinct(), 2u);
}

TEST_F(DeliveryTest, RingDropsAreCounted) {
  push(1);
  const std::string large(ring_bytes, 'x');
  SampleExchange e = numbered(5);
  e.request_body = large;
  EXPECT_FALSE(gibbon::testing::push(*producer, e));
  start();
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().delivered == 1; }));
  EXPECT_EQ(dropped(delivery->metrics(), "too_large"), 1u);
  EXPECT_EQ(delivery->metrics().captured, 2u);
}

TEST_F(DeliveryTest, RecordsWaitForTheFirstConfiguration) {
  push(3);
  delivery = std::make_unique<agent::Delivery>(options());
  ASSERT_TRUE(delivery->start().ok());
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().captured == 3; }));
  EXPECT_EQ(delivery->metrics().pending_ring, 3u);
  delivery->publish(snapshot_for(server.url(), 9));
  expect_all();
}

TEST_F(DeliveryTest, AnOlderGenerationIsReadFromSharedMemory) {
  LogServer other;
  const std::string snapshot =
      "{\"generation\":1,\"services\":[],\"routes\":[],\"plugins\":[{\"id\":\"" + std::string(kPluginId) +
      "\",\"name\":\"fake\",\"enabled\":true,\"protocols\":[\"http\"],\"config\":{\"url\":\"" + other.url() + "\"}}]}";
  std::ofstream(config::snapshot_path(shared.path(), 1)) << snapshot;
  delivery = std::make_unique<agent::Delivery>(options());
  ASSERT_TRUE(delivery->start().ok());
  delivery->publish(snapshot_for(server.url(), 2));
  push(1);  // of generation 1
  ASSERT_TRUE(wait_until([&] { return other.distinct() == 1; })) << describe(delivery->metrics());
  SampleExchange e = numbered(500);
  e.generation = 2;
  ASSERT_TRUE(gibbon::testing::push(*producer, e));
  ASSERT_TRUE(wait_until([&] { return server.distinct() == 1; }));
}

TEST_F(DeliveryTest, SecretsReachNeitherTheWireNorTheDisk) {
  server.stop();
  start();
  SampleExchange e = numbered(1);
  const std::string secret = "s3cr3t-value";
  for (const char* name : {"Authorization", "proxy-authorization", "COOKIE", "x-Api-Key"}) {
    e.request_headers.emplace_back(name, secret);
    e.response_headers.emplace_back(name, secret);
  }
  e.response_headers.emplace_back("Set-Cookie", "a=" + secret);
  e.request_headers.emplace_back("x-other", "kept");
  e.target = "http://user:" + secret + "@example.test/path?q=@1";
  ASSERT_TRUE(gibbon::testing::push(*producer, e));
  expected.insert(entry_id_of(e));
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending_spool == 1; }));
  std::size_t files_seen = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(spool.path())) {
    if (!file.is_regular_file()) continue;
    ++files_seen;
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(bytes.find(secret), std::string::npos) << file.path();
    EXPECT_EQ(file.status().permissions() & std::filesystem::perms::mask, std::filesystem::perms(0600));
  }
  EXPECT_GE(files_seen, 2u);
  server.start();
  expect_all();
  const std::string body = server.requests().at(0).body;
  EXPECT_EQ(body.find(secret), std::string::npos);
  EXPECT_NE(body.find("Authorization: [REDACTED]"), std::string::npos);
  EXPECT_NE(body.find("Set-Cookie: [REDACTED]"), std::string::npos);
  EXPECT_NE(body.find("x-other: kept"), std::string::npos);
  EXPECT_NE(body.find("http://%5BREDACTED%5D@example.test/path?q=@1"), std::string::npos);
}

TEST_F(DeliveryTest, UserinfoOfTheEndpointIsSentButNotShown) {
  delivery = std::make_unique<agent::Delivery>(options());
  ASSERT_TRUE(delivery->start().ok());
  std::string url = server.url();
  url.insert(7, "user:hunter2@");
  delivery->publish(snapshot_for(url));
  push(1);
  expect_all();
  EXPECT_EQ(server.requests().at(0).authorization, "Basic dXNlcjpodW50ZXIy");
  EXPECT_EQ(delivery->metrics().endpoints.at(0).url, server.url());
}

TEST_F(DeliveryTest, FindsRingsThatShowUpLater) {
  start();
  push(1);
  expect_all();
  auto second = record::RingProducer::claim(shared.path(), ring_bytes);
  ASSERT_TRUE(second.ok());
  const SampleExchange e = numbered(900);
  ASSERT_TRUE(gibbon::testing::push(*second, e));
  expected.insert(entry_id_of(e));
  expect_all();
  EXPECT_EQ(delivery->metrics().rings, 2u);
}

TEST_F(DeliveryTest, FollowsARingThatIsReplacedByOneOfAnotherSize) {
  start();
  push(5);
  expect_all();
  ring_bytes *= 2;
  producer.reset();
  claim_ring();
  ASSERT_EQ(producer->slot(), 0u);
  push(5);
  expect_all();
  EXPECT_EQ(delivery->metrics().rings, 1u);
}

}  // namespace
}  // namespace gibbon::testing
