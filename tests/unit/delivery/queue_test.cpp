#include "fixture.hpp"

#include "agent/delivery/endpoint.hpp"
#include "base/json.hpp"

namespace gibbon::testing {
namespace {

/// A destination with a queue.
struct QueueConfig {
  explicit QueueConfig(const ConfigView& view) {
    to.url = view.string("url");
    to.method = view.string("method", "POST");
    Queue queue;
    queue.max_batch_size = static_cast<std::uint32_t>(view.integer("max_batch_size", 1));
    queue.max_coalescing_delay = view.number("max_coalescing_delay", 1);
    queue.max_entries = static_cast<std::uint32_t>(view.integer("max_entries", 10000));
    queue.max_retry_time = view.number("max_retry_time", 60);
    queue.max_retry_delay = 0.05;
    queue.concurrency_limit = static_cast<std::int32_t>(view.integer("concurrency_limit", 1));
    to.queue = queue;
  }
  Destination to;
};
struct QueueHandler : FakeHandler {
  static Destination destination(const QueueConfig& config) { return config.to; }
  static void encode(const ExchangeRecord& record, const QueueConfig&, std::string& out) {
    out += "{\"entry_id\":";
    append_json_string(out, record.entry_id);
    out += ",\"service\":";
    out += record.service_json.empty() ? "null" : record.service_json;
    out += ",\"set\":[";
    for (const SerializeValue& value : record.serialize_values) {
      if (out.back() != '[') out += ',';
      out += value.json;
    }
    out += "]}";
  }
  static void encode_entry(std::string_view entry, const QueueConfig&, std::string& out) {
    if (entry == "bad") throw std::runtime_error("not this one");
    out += "{\"entry_id\":";
    append_json_string(out, entry);
    out += "}";
  }
};
/// The same without encode_entry().
struct PlainHandler {
  static constexpr int PRIORITY = 1;
  static constexpr const char* VERSION = "0.0.1";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;
  static Destination destination(const QueueConfig& config) { return config.to; }
};
const plugin::Registry& queue_registry() {
  static const PluginDescriptor queue = detail::describe<QueueHandler, QueueConfig>("queue", fake_schema);
  static const PluginDescriptor plain = detail::describe<PlainHandler, QueueConfig>("plain", fake_schema);
  static const plugin::Registry registry = plugin::Registry::of({&queue, &plain});
  return registry;
}

class QueueTest : public DeliveryTest {
 protected:
  void start(json::object config, const char* name = "queue") {
    agent::DeliveryOptions o = options();
    o.plugins = &queue_registry();
    delivery = std::make_unique<agent::Delivery>(o);
    ASSERT_TRUE(delivery->start().ok());
    auto snapshot = std::make_shared<config::Snapshot>();
    snapshot->generation = 1;
    config::Plugin plugin;
    plugin.id = kPluginId;
    plugin.name = name;
    plugin.config = std::move(config);
    plugin.config["url"] = server.url();
    snapshot->plugins.push_back(std::move(plugin));
    config::Service service;
    service.id = "S";
    service.shown = std::make_shared<const std::string>(R"({"id":"S","retries":5})");
    snapshot->services.push_back(service);
    delivery->publish(snapshot);
  }
  /// Of each request that was taken, how many entries it had; 0: it was no array.
  std::vector<std::size_t> sizes() {
    std::vector<std::size_t> sizes;
    for (const ReceivedRequest& request : server.requests()) {
      const json::value body = json::parse(request.body);
      sizes.push_back(body.is_array() ? body.get_array().size() : 0);
    }
    return sizes;
  }
  std::size_t taken() {
    std::set<std::string> ids;
    for (const ReceivedRequest& request : server.requests()) {
      const json::value body = json::parse(request.body);
      const json::array entries = body.is_array() ? body.get_array() : json::array{body};
      for (const json::value& entry : entries) ids.emplace(entry.at("entry_id").get_string());
    }
    return ids.size();
  }
  void expect_taken(std::size_t count) {
    ASSERT_TRUE(wait_until([&] { return taken() == count && delivery->metrics().pending() == 0; }))
        << taken() << "; " << describe(delivery->metrics());
    EXPECT_EQ(delivery->metrics().total_dropped(), 0u) << describe(delivery->metrics());
  }
};

TEST_F(QueueTest, SendsObjectsOneAfterTheOtherByDefault) {
  start({});
  push(20);
  expect_taken(20);
  EXPECT_EQ(sizes(), std::vector<std::size_t>(20, 0));
  EXPECT_EQ(server.most_connections(), 1u);
}

TEST_F(QueueTest, GathersArraysOfTheBatchSize) {
  start({{"max_batch_size", 10}, {"max_coalescing_delay", 3600}});
  push(20);
  expect_taken(20);
  EXPECT_EQ(sizes(), std::vector<std::size_t>(2, 10));
  push(1);
  delivery->stop(5s);
  EXPECT_EQ(taken(), 21u) << "the end does not wait for more";
  EXPECT_EQ(sizes().back(), 1u) << "an array all the same";
}

TEST_F(QueueTest, SendsWhatThereIsAfterTheCoalescingDelay) {
  start({{"max_batch_size", 100}, {"max_coalescing_delay", 0.1}});
  push(3);
  expect_taken(3);
  std::size_t sum = 0;
  for (const std::size_t size : sizes()) sum += size;
  EXPECT_EQ(sum, 3u);
}

TEST_F(QueueTest, UnlimitedConcurrencySendsEachEntryAlone) {
  server.script([](const ReceivedRequest&) {
    LogServer::Reply reply;
    reply.delay_ms = 20;
    return reply;
  });
  start({{"max_batch_size", 10}, {"concurrency_limit", -1}});
  push(30);
  expect_taken(30);
  EXPECT_EQ(sizes(), std::vector<std::size_t>(30, 1));
  EXPECT_GT(server.most_connections(), 1u);
}

TEST_F(QueueTest, WhatIsTooMuchForTheQueueWaitsInTheSpool) {
  server.script([](const ReceivedRequest&) {
    LogServer::Reply reply;
    reply.act = LogServer::Reply::Act::kHang;
    return reply;
  });
  start({{"max_entries", 5}});
  push(50);
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending_spool == 50; })) << describe(delivery->metrics());
  server.script({});
  expect_taken(50);
}

TEST_F(QueueTest, NothingIsLostWhileTheEndpointIsAwayOrSaysNo) {
  for (const int status : {500, 302, 404}) {
    server.script([status](const ReceivedRequest&) {
      LogServer::Reply reply;
      reply.status = status;
      return reply;
    });
    if (!delivery) start({{"max_batch_size", 4}, {"max_coalescing_delay", 0.01}, {"max_retry_time", 0}});
    const std::uint64_t attempts = server.attempts();
    push(10);
    ASSERT_TRUE(wait_until([&] { return server.attempts() >= attempts + 3; }));
    server.stop();
    push(10);
    server.script({});
    server.start();
    expect_taken(pushed);
  }
}

TEST_F(QueueTest, AnEntryThatIsRefusedForGoodIsTriedForTheRetryTime) {
  std::atomic<int> refused{0};
  server.script([&](const ReceivedRequest& request) {
    LogServer::Reply reply;
    if (request.body.find("\"poison\"") != std::string::npos) {
      ++refused;
      reply.status = 400;
    }
    return reply;
  });
  start({{"max_retry_time", 0.2}});
  SampleExchange poison = numbered(1000);
  poison.serialize_values = {{"x", "\"poison\""}};
  ASSERT_TRUE(gibbon::testing::push(*producer, poison));
  push(3);
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending() == 0; })) << describe(delivery->metrics());
  EXPECT_EQ(taken(), 3u);
  EXPECT_EQ(dropped(delivery->metrics(), "rejected"), 1u);
  EXPECT_GT(refused, 1);
}

TEST_F(QueueTest, ShowsEntitiesAndLeavesOutValuesThatAreNoJson) {
  start({});
  SampleExchange e = numbered(1);
  e.service_id = "S";
  e.serialize_values = {{"a", "1"}, {"b", "{broken"}, {"c", "[true]"}};
  ASSERT_TRUE(gibbon::testing::push(*producer, e));
  expect_taken(1);
  const json::value entry = json::parse(server.requests()[0].body);
  EXPECT_EQ(entry.at("service"), json::parse(R"({"id":"S","retries":5})"));
  EXPECT_EQ(entry.at("set"), json::parse("[1,[true]]"));
}

TEST_F(QueueTest, SendsEntriesOfAPluginsOwn) {
  start({});
  ASSERT_TRUE(push_entry(*producer, numbered(1), "first"));
  ASSERT_TRUE(push_entry(*producer, numbered(2), "bad"));
  ASSERT_TRUE(push_entry(*producer, numbered(3), "third"));
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending() == 0; }));
  EXPECT_EQ(server.received().size(), 2u);
  EXPECT_EQ(server.received().count("first"), 1u);
  EXPECT_EQ(dropped(delivery->metrics(), "encode_failed"), 1u);
  EXPECT_EQ(server.requests()[0].idempotency_key.size(), 36u);
  EXPECT_NE(server.requests()[0].idempotency_key, server.requests()[1].idempotency_key);
}

TEST_F(QueueTest, AnEntryWithoutAnEncoderIsAnObjectAsItIs) {
  start({}, "plain");
  ASSERT_TRUE(push_entry(*producer, numbered(1), R"({"entry_id":"own"})"));
  for (const char* wrong : {"[1]", "text", "{\"a\":", ""}) ASSERT_TRUE(push_entry(*producer, numbered(2), wrong));
  ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending() == 0; }));
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_EQ(server.requests()[0].body, R"({"entry_id":"own"})");
  EXPECT_EQ(dropped(delivery->metrics(), "encode_failed"), 4u);
}

TEST(DestinationName, DependsOnEveryFieldAndComesBackFromDisk) {
  TemporaryDirectory directory;
  std::vector<Destination> all(9);
  for (Destination& d : all) d.url = "http://h/logs";
  all[1].method = "PUT";
  all[2].ssl_verify = false;
  all[3].kind = Destination::Kind::kFile;
  all[4].kind = Destination::Kind::kFile;
  all[4].reopen = true;
  all[5].queue = Queue{};
  all[6].queue = Queue{};
  all[6].queue->max_bytes = 5;
  all[7].queue = Queue{};
  all[7].queue->initial_retry_delay = 0.3;
  all[8].queue = Queue{};
  all[8].queue->concurrency_limit = -1;
  std::set<std::string> names;
  for (const Destination& d : all) {
    const std::string name = agent::Endpoint::directory_name(d);
    names.insert(name);
    agent::HttpSender sender;
    agent::SpoolBudget budget{1 << 20};
    agent::Endpoint endpoint({sender, agent::FileSystem::real(), budget, directory.path(), {}}, d);
    ASSERT_TRUE(endpoint.recover([](std::uint64_t, std::uint64_t) {}).ok());
    const auto read = agent::Endpoint::read_meta(agent::FileSystem::real(), directory.path() + "/" + name);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(agent::Endpoint::directory_name(*read), name);
  }
  EXPECT_EQ(names.size(), all.size());
}

}  // namespace
}  // namespace gibbon::testing
