#include "gibbon/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace gibbon::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Schema schema() {
  return fields::record({{"mode", fields::string().required()}, {"limit", fields::integer().default_value(2)}});
}

struct Config {
  explicit Config(const ConfigView& view) : mode(view.string("mode")), limit(view.integer("limit")) {
    if (mode == "unmakeable") throw std::runtime_error("cannot be made");
  }
  std::string mode;
  std::int64_t limit;
};

std::string order;

struct Policy {
  static constexpr int PRIORITY = 1;
  static constexpr const char* VERSION = "1";
};

struct Handler : Policy {
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;

  static void init_worker(Background& background) {
    order = "init_worker";
    background.node().every(10s, [](Background& task) -> Task<> {
      task.node().counters().increment("ticks", 1, 3600s);
      co_await task.sleep(1s);
    });
  }
  static void configure(Background&, std::span<const Config* const> configs) {
    order += " configure:" + std::to_string(configs.size());
  }
  static void rewrite(Exchange& exchange, const Config& config) {
    order += " rewrite";
    if (config.mode == "early") exchange.exit(204);
    if (config.mode == "path too soon") exchange.service_request().set_path("/x");
  }
  static bool reads_body(const Config& config) { return config.mode == "body"; }
  static Task<> access(Exchange& exchange, const Config& config) {
    order += " access";
    exchange.ctx().plugin<int>() = 41;
    exchange.response().set_header("X-Early", "kept");
    if (config.mode == "throw") throw std::runtime_error("oops");
    if (config.mode == "body") exchange.service_request().set_body("other");
    if (config.mode == "limit" && exchange.node().counters().increment("seen", 1, 60s) > config.limit)
      exchange.error(429, "API rate limit exceeded");
    if (config.mode == "key") {
      const EntityView* found = exchange.entities().find("keys", exchange.request().header("apikey"));
      if (found == nullptr) co_return exchange.error(401, "No API key found in request");
      exchange.client().authenticate(found->consumer, found);
    }
    if (config.mode == "sleep") co_await exchange.sleep(1500ms);
    if (config.mode == "http") {
      try {
        HttpRequest request{.url = "http://auth.test/"};
        const HttpResponse answer = co_await exchange.http(std::move(request));
        exchange.exit(answer.status, answer.body, "text/plain");
      } catch (const WaitError& error) {
        exchange.exit(502, error.kind() == WaitError::Kind::kTimeout ? "late" : "refused", "text/plain");
      }
    }
    if (config.mode == "after")
      exchange.node().after(0ms, [](Background& task) -> Task<> { task.log().info("ran afterwards"); co_return; });
    if (config.mode == "twice") exchange.exit(200), exchange.exit(201);
  }
  static void header_filter(Exchange& exchange, const Config& config) {
    order += " header_filter";
    if (config.mode == "hold") exchange.response().hold_body();
    if (config.mode == "records") exchange.response().capture_body(3);
    if (config.mode == "clear") exchange.response().clear_header("Content-Length");
  }
  static void body_filter(Exchange&, BodyChunk& chunk, const Config& config) {
    order += " body_filter";
    if (config.mode == "hold" || config.mode == "clear" || config.mode == "careless")
      chunk.replace("<" + std::string(chunk.bytes) + ">");
  }
  static void log(Exchange& exchange, const Config& config) {
    order += " log:" + std::to_string(exchange.ctx().find_plugin<int>() != nullptr ? exchange.ctx().plugin<int>() : 0);
    const std::string_view labels[] = {config.mode};
    exchange.node().metrics().add(0, labels);
    exchange.set_serialize_value("extra.tenant", "\"t1\"");
    if (config.mode == "records") exchange.record({.response_body_bytes = 3});
    if (config.mode == "queue") exchange.enqueue("raw");
  }
  static std::vector<MetricFamily> metrics() { return {{.name = "requests", .help = "all", .labels = {"mode"}}}; }
  static Destination destination(const Config&) { return {.url = "http://logs.test/"}; }
  static void encode(const ExchangeRecord& record, const Config&, std::string& out) {
    out += "{\"status\":" + std::to_string(record.status);
    for (const SerializeValue& value : record.serialize_values)
      out += ",\"" + std::string(value.path) + "\":" + std::string(value.json);
    out += ",\"body\":\"" + std::string(record.response_body.bytes) + "\"}";
  }
  static void encode_entry(std::string_view entry, const Config&, std::string& out) {
    out += "{\"entry\":\"" + std::string(entry) + "\"}";
  }
};

struct OpenHandler : Policy {
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;
  static void access(Exchange&, const Config&) { throw std::runtime_error("oops"); }
};

struct Holding : Policy {
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;
  static void response(Exchange& exchange, const Config&) {
    exchange.response().set_status(203);
    exchange.response().set_body(std::string(exchange.response().body()) + "!");
  }
};

template <typename H>
const PluginDescriptor& plugin() {
  static const PluginDescriptor descriptor = detail::describe<H, Config>("tested", schema);
  return descriptor;
}

Answer send(const std::string& mode, const ClientRequest& request = {}) {
  Gateway gateway(plugin<Handler>(), "{\"mode\":\"" + mode + "\"}");
  gateway.upstream([](const UpstreamRequest&) -> UpstreamAnswer {
    return {.headers = {{"X-Up", "1"}}, .chunks = {"one", "two"}};
  });
  return gateway.send(request);
}

std::string refusal(const std::string& config) {
  try {
    Gateway gateway(plugin<Handler>(), config);
    return "accepted";
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
}

TEST(TestGateway, RefusesAConfigurationWithKongsMessage) {
  EXPECT_EQ(refusal("{}"), "schema violation (config.mode: required field missing)");
  EXPECT_EQ(refusal(R"({"mode": "a", "limit": "x"})"), "schema violation (config.limit: expected an integer)");
  EXPECT_EQ(refusal(R"({"mode": 1, "other": 1})"),
            "2 schema violations (config.mode: expected a string; config.other: unknown field)");
  EXPECT_THAT(refusal("{"), HasSubstr("no JSON"));
  EXPECT_THAT(refusal(R"({"mode": "unmakeable"})"), HasSubstr("cannot be made"));
}

TEST(TestGateway, RunsThePhasesInTheirOrder) {
  const Answer answer = send("plain");
  EXPECT_EQ(order, "init_worker configure:1 rewrite access header_filter body_filter body_filter log:41");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "onetwo");
  EXPECT_EQ(answer.header("x-early"), "kept");
  EXPECT_EQ(answer.header("x-up"), "1");
  EXPECT_TRUE(answer.reached_upstream);
  EXPECT_THAT(answer.thrown, ElementsAre());
}

TEST(TestGateway, SkipsWhatComesAfterAnAnswer) {
  const Answer answer = send("early");
  EXPECT_EQ(answer.status, 204);
  EXPECT_FALSE(answer.reached_upstream);
  EXPECT_EQ(order, "init_worker configure:1 rewrite header_filter body_filter log:0");
}

TEST(TestGateway, FillsDefaultsAndCounts) {
  Gateway gateway(plugin<Handler>(), R"({"mode": "limit"})");
  EXPECT_EQ(gateway.config(), R"({"mode":"limit","limit":2})");
  EXPECT_EQ(gateway.send().status, 200);
  EXPECT_EQ(gateway.send().status, 200);
  const Answer third = gateway.send();
  EXPECT_EQ(third.status, 429);
  EXPECT_THAT(third.body, HasSubstr("API rate limit exceeded"));
  EXPECT_EQ(gateway.counter("seen"), 3);
  gateway.advance(61s);
  EXPECT_EQ(gateway.counter("seen"), 0);
  EXPECT_EQ(gateway.send().status, 200);
  EXPECT_EQ(gateway.metric("requests", {"limit"}), 4);
  EXPECT_EQ(gateway.metric_count("requests", {"limit"}), 4U);
  EXPECT_THROW((void)gateway.metric("requets"), std::invalid_argument);
}

TEST(TestGateway, AWrongPhaseIsAPhaseError) {
  const Answer answer = send("path too soon");
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.thrown, ElementsAre("rewrite: set_path() cannot be called in rewrite phase (only in: access)"));
}

TEST(TestGateway, WhatIsThrownCostsTheFailurePolicy) {
  const Answer closed = send("throw");
  EXPECT_EQ(closed.status, 500);
  EXPECT_FALSE(closed.reached_upstream);
  EXPECT_THAT(closed.body, HasSubstr("An unexpected error occurred"));
  Gateway open(plugin<OpenHandler>(), R"({"mode": "any"})");
  const Answer answer = open.send();
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.thrown, ElementsAre("access: oops"));
  EXPECT_TRUE(open.logged("exception in access: oops"));
  EXPECT_EQ(send("twice").status, 200);
}

TEST(TestGateway, KnowsConsumersAndTheirEntities) {
  Gateway gateway(plugin<Handler>(), R"({"mode": "key"})");
  gateway.add_consumer({.username = "ann"});
  gateway.add_entity("keys", "k1", {{"key", "k1"}}, "ann");
  EXPECT_EQ(gateway.send({.headers = {{"apikey", "wrong"}}}).status, 401);
  const Answer answer = gateway.send({.headers = {{"apikey", "k1"}}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.upstream.header("X-Consumer-Username"), "ann");
  EXPECT_THROW(gateway.add_entity("keys", "k2", {}, "nobody"), std::invalid_argument);
}

TEST(TestGateway, WaitsInVirtualTime) {
  Gateway gateway(plugin<Handler>(), R"({"mode": "sleep"})");
  const std::int64_t before = gateway.now_ms();
  EXPECT_EQ(gateway.send().status, 200);
  EXPECT_EQ(gateway.now_ms(), before + 1500);
}

TEST(TestGateway, AnswersWhatIsAskedOfTheNetwork) {
  Gateway gateway(plugin<Handler>(), R"({"mode": "http"})");
  EXPECT_EQ(gateway.send().body, "refused");
  std::string asked;
  gateway.http([&](const HttpRequest& request) -> HttpResponse {
    asked = request.url;
    return {.status = 418, .body = "tea"};
  });
  const Answer answer = gateway.send();
  EXPECT_EQ(answer.status, 418);
  EXPECT_EQ(answer.body, "tea");
  EXPECT_EQ(asked, "http://auth.test/");
  gateway.http([](const HttpRequest&) -> HttpResponse { throw WaitError(WaitError::Kind::kTimeout, "late"); });
  EXPECT_EQ(gateway.send().body, "late");
}

TEST(TestGateway, RunsTasksWhenTheirTimeHasCome) {
  Gateway gateway(plugin<Handler>(), R"({"mode": "after"})");
  EXPECT_EQ(gateway.waiting_tasks(), 1U);
  gateway.advance(9s);
  EXPECT_EQ(gateway.counter("ticks"), 0);
  gateway.advance(1s);
  EXPECT_EQ(gateway.counter("ticks"), 1);
  gateway.advance(10s);  // Again ten seconds after the last end.
  EXPECT_EQ(gateway.counter("ticks"), 2);
  gateway.send();
  EXPECT_FALSE(gateway.logged("ran afterwards"));
  gateway.run_tasks();
  EXPECT_TRUE(gateway.logged("ran afterwards"));
}

TEST(TestGateway, PassesTheBodyInItsPieces) {
  EXPECT_EQ(send("hold").body, "<onetwo>");
  EXPECT_EQ(send("clear").body, "<one><two>");
  Gateway gateway(plugin<Handler>(), R"({"mode": "careless"})");
  gateway.upstream([](const UpstreamRequest&) -> UpstreamAnswer { return {.chunks = {"one"}}; });
  EXPECT_THAT(gateway.send().thrown, ElementsAre(HasSubstr("clears Content-Length")));
  const Answer changed = send("body", {.method = "POST", .body = "mine"});
  EXPECT_EQ(changed.upstream.body, "other");
  EXPECT_EQ(changed.upstream.header("content-length"), "5");
}

TEST(TestGateway, HoldsTheAnswerForResponse) {
  Gateway gateway(plugin<Holding>(), R"({"mode": "any"})");
  gateway.upstream([](const UpstreamRequest&) -> UpstreamAnswer { return {.chunks = {"a", "b"}}; });
  const Answer answer = gateway.send();
  EXPECT_EQ(answer.status, 203);
  EXPECT_EQ(answer.body, "ab!");
  EXPECT_EQ(answer.header("content-length"), "3");
}

TEST(TestGateway, EncodesWhatIsRecordedAndQueued) {
  EXPECT_THAT(send("records").entries, ElementsAre(R"({"status":200,"extra.tenant":"t1","body":"one"})"));
  EXPECT_THAT(send("queue").entries, ElementsAre(R"({"entry":"raw"})"));
}

}  // namespace
}  // namespace gibbon::testing
