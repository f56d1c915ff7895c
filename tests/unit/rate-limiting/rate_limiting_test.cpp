#include <gtest/gtest.h>

#include <deque>

#include "gibbon/testing.hpp"

extern "C" const gibbon::PluginDescriptor* gibbon_plugin();

namespace gibbon::testing {
namespace {

/// A Redis of few words: it gives prepared answers, and keeps what it was asked.
struct Redis {
  std::deque<std::string> answers;
  std::string asked;
  ConnectOptions options;
  int connections = 0, kept = 0;
  bool reused = false;
};

template <typename T>
class Ready final : public Operation<T> {
 public:
  explicit Ready(T value) : value_(std::move(value)) {}
  void start(std::coroutine_handle<> waiting) override { waiting.resume(); }
  T take() override { return std::move(value_); }

 private:
  T value_;
};

template <>
class Ready<void> final : public Operation<void> {
 public:
  void start(std::coroutine_handle<> waiting) override { waiting.resume(); }
  void take() override {}
};

class RedisSocket final : public Socket {
 public:
  explicit RedisSocket(Redis& redis) : redis_(redis) { ++redis.connections; }
  Wait<void> write(std::string bytes) override {
    redis_.asked += bytes;
    return Wait<void>(std::make_unique<Ready<void>>());
  }
  Wait<std::string> read() override {
    std::string bytes;
    if (!redis_.answers.empty()) {
      bytes = redis_.answers.front();
      redis_.answers.pop_front();
    }
    return Wait<std::string>(std::make_unique<Ready<std::string>>(bytes));
  }
  void set_timeout(std::chrono::milliseconds) override {}
  [[nodiscard]] bool reused() const override { return redis_.reused; }
  void keep(std::chrono::milliseconds) override { ++redis_.kept; }

 private:
  Redis& redis_;
};

void serve(Gateway& gateway, Redis& redis) {
  gateway.connect([&redis](const ConnectOptions& options) {
    redis.options = options;
    return std::make_unique<RedisSocket>(redis);
  });
}

std::string redis_config(const std::string& more = "", const std::string& login = "") {
  return R"({"minute": 5, "hour": 7, "policy": "redis")" + more + R"(, "redis": {"host": "r.test", "port": 7000)" + login + "}}";
}

TEST(RateLimiting, CountsInMemory) {
  Gateway gateway(*gibbon_plugin(), R"({"minute": 2.5})");
  for (const char* remaining : {"1.5", "0.5", "0"}) {
    const Answer answer = gateway.send();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("X-RateLimit-Limit-Minute"), "2.5");
    EXPECT_EQ(answer.header("X-RateLimit-Remaining-Minute"), remaining);
  }
  EXPECT_EQ(gateway.send().status, 429);
  gateway.advance(std::chrono::minutes(1));
  EXPECT_EQ(gateway.send().status, 200);
}

TEST(RateLimiting, AsksRedisOnceForAllLimits) {
  Gateway gateway(*gibbon_plugin(), redis_config());
  Redis redis;
  serve(gateway, redis);
  redis.answers = {":3\r\n:", "6\r\n"};
  const Answer answer = gateway.send();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("X-RateLimit-Remaining-Minute"), "1");
  EXPECT_EQ(answer.header("RateLimit-Limit"), "7") << "the hour is nearer to its end";
  EXPECT_EQ(redis.connections, 1);
  EXPECT_EQ(redis.kept, 1);
  EXPECT_EQ(redis.options.host, "r.test");
  EXPECT_EQ(redis.options.port, 7000);
  EXPECT_EQ(redis.asked.find("AUTH"), std::string::npos);
  EXPECT_NE(redis.asked.find(":minute\r\n$2\r\n60\r\n"), std::string::npos);
  EXPECT_NE(redis.asked.find(":hour\r\n$4\r\n3600\r\n"), std::string::npos);
  redis.answers = {":5\r\n:7\r\n"};
  EXPECT_EQ(gateway.send().status, 429);
}

TEST(RateLimiting, LogsInOnNewConnectionsAlone) {
  Gateway gateway(*gibbon_plugin(), redis_config("", R"(, "username": "u", "password": "p w", "database": 3)"));
  Redis redis;
  serve(gateway, redis);
  redis.answers = {"+OK\r\n+OK\r\n", ":0\r\n:0\r\n"};
  EXPECT_EQ(gateway.send().status, 200);
  EXPECT_EQ(redis.asked.find("*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$3\r\np w\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n"), 0U);
  redis.asked.clear();
  redis.reused = true;
  redis.answers = {":1\r\n:1\r\n"};
  EXPECT_EQ(gateway.send().header("RateLimit-Remaining"), "3");
  EXPECT_EQ(redis.asked.find("AUTH"), std::string::npos);
}

TEST(RateLimiting, RefusesOrPassesWhereRedisDoesNotAnswer) {
  for (const char* answer : {"-NOPERM no\r\n-NOPERM no\r\n", "", "nonsense\r\n"}) {
    Redis redis;
    Gateway tolerant(*gibbon_plugin(), redis_config());
    serve(tolerant, redis);
    redis.answers = {answer};
    EXPECT_EQ(tolerant.send().status, 200);
    EXPECT_TRUE(tolerant.logged("failed to get usage"));
    Gateway strict(*gibbon_plugin(), redis_config(R"(, "fault_tolerant": false)"));
    serve(strict, redis);
    redis.answers = {answer};
    const Answer refused = strict.send();
    EXPECT_EQ(refused.status, 500);
    EXPECT_NE(refused.body.find("An unexpected error occurred"), std::string::npos);
    EXPECT_FALSE(refused.has_header("RateLimit-Limit"));
    EXPECT_EQ(redis.kept, 0) << "a connection in disorder is not used again";
  }
}

}  // namespace
}  // namespace gibbon::testing
