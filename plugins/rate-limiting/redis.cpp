#include "redis.hpp"

#include <hiredis/hiredis.h>

#include <functional>
#include <stdexcept>
#include <unordered_map>

namespace rate_limiting {

using namespace gibbon;

RedisConnection::RedisConnection() : reader_(redisReaderCreate()) {
  if (reader_ == nullptr) throw std::bad_alloc();
}

RedisConnection::~RedisConnection() { redisReaderFree(reader_); }

Task<> RedisConnection::open(Exchange& exchange, const Redis& redis) {
  ConnectOptions options;
  options.host = redis.host;
  options.port = static_cast<std::uint16_t>(redis.port);
  options.timeout = std::chrono::milliseconds(redis.timeout_ms);
  options.tls = redis.ssl;
  options.ssl_verify = redis.ssl_verify;
  options.server_name = redis.server_name;
  // Who has logged in stays so: other users have connections of their own.
  options.pool = "redis:" + std::to_string(redis.database) + ":" + redis.username + ":" +
                 std::to_string(std::hash<std::string>()(redis.password));
  options.pool_size = 100;
  socket_ = co_await exchange.connect(options);
  if (socket_->reused()) co_return;
  if (!redis.password.empty()) {
    if (redis.username.empty()) {
      add({"AUTH", redis.password});
    } else {
      add({"AUTH", redis.username, redis.password});
    }
  }
  if (redis.database != 0) add({"SELECT", std::to_string(redis.database)});
  if (waiting_ > 0) co_await answers();
}

void RedisConnection::add(const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    lengths.push_back(word.size());
  }
  char* command = nullptr;
  const auto length = redisFormatCommandArgv(&command, static_cast<int>(words.size()), texts.data(), lengths.data());
  if (length < 0 || command == nullptr) throw std::bad_alloc();
  out_.append(command, static_cast<std::size_t>(length));
  redisFreeCommand(command);
  ++waiting_;
}

Task<std::vector<long long>> RedisConnection::answers() {
  co_await socket_->write(std::exchange(out_, {}));
  std::vector<long long> numbers;
  std::string refusal;
  while (waiting_ > 0) {
    void* got = nullptr;
    if (redisReaderGetReply(reader_, &got) != REDIS_OK) throw std::runtime_error(reader_->errstr);
    if (got == nullptr) {
      const std::string bytes = co_await socket_->read();
      if (bytes.empty()) throw std::runtime_error("Redis has closed the connection");
      if (redisReaderFeed(reader_, bytes.data(), bytes.size()) != REDIS_OK) throw std::runtime_error(reader_->errstr);
      continue;
    }
    auto* reply = static_cast<redisReply*>(got);
    if (reply->type == REDIS_REPLY_ERROR && refusal.empty()) refusal.assign(reply->str, reply->len);
    numbers.push_back(reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0);
    if (reply->type == REDIS_REPLY_STRING) numbers.back() = std::strtoll(reply->str, nullptr, 10);
    freeReplyObject(reply);
    --waiting_;
  }
  if (!refusal.empty()) throw std::runtime_error(refusal);
  co_return numbers;
}

void RedisConnection::keep() {
  socket_->keep(std::chrono::seconds(10));
  socket_.reset();
}

namespace {

/// Counts one, and says how many there were before.
constexpr const char* kCountScript =
    "local n = redis.call('INCR', KEYS[1]) "
    "if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end "
    "return n - 1";
/// Adds what a worker has counted. A new counter ends at a time.
constexpr const char* kAddScript =
    "local n = redis.call('INCRBY', KEYS[1], ARGV[1]) "
    "if redis.call('TTL', KEYS[1]) == -1 then redis.call('EXPIREAT', KEYS[1], ARGV[2]) end "
    "return n";

/// What this worker knows of a counter since it last talked to Redis.
struct Local {
  std::int64_t used = 0;   ///< As Redis said.
  std::int64_t added = 0;  ///< By this worker since.
  std::int64_t ends_s = 0;
};
struct LocalCounters {
  std::unordered_map<std::string, Local> counters;
  std::int64_t synced_ms = 0;
};

/// Each database's, in this worker. The event thread's alone.
LocalCounters& local_counters(const Redis& redis) {
  static std::unordered_map<std::string, LocalCounters> all;
  return all[redis.host + ":" + std::to_string(redis.port) + ";" + std::to_string(redis.database)];
}

Task<> count_in_redis(Exchange& exchange, const Config& config, std::vector<Usage>& usages) {
  RedisConnection connection;
  co_await connection.open(exchange, config.redis);
  for (const Usage& usage : usages)
    connection.add({"EVAL", kCountScript, "1", usage.key, std::to_string(kPeriods[usage.limit.period].seconds)});
  const std::vector<long long> before = co_await connection.answers();
  connection.keep();
  for (std::size_t i = 0; i < usages.size(); ++i) usages[i].used = before[i];
}

/// Brings this worker's counts to Redis. They are forgotten here also where that fails, as Kong does.
Task<> bring(Exchange& exchange, const Config& config, LocalCounters& local) {
  std::unordered_map<std::string, Local> gone;
  gone.swap(local.counters);
  local.synced_ms = exchange.node().now_ms();
  RedisConnection connection;
  co_await connection.open(exchange, config.redis);
  bool any = false;
  for (const auto& [key, counter] : gone) {
    if (counter.added == 0) continue;
    connection.add({"EVAL", kAddScript, "1", key, std::to_string(counter.added), std::to_string(counter.ends_s)});
    any = true;
  }
  if (any) co_await connection.answers();
  connection.keep();
}

/// What this worker does not know yet is asked of Redis.
Task<> learn(Exchange& exchange, const Config& config, const std::vector<Usage>& usages, LocalCounters& local,
             std::int64_t now_s) {
  std::vector<const Usage*> unknown;
  for (const Usage& usage : usages) {
    const auto known = local.counters.find(usage.key);
    if (known == local.counters.end() || known->second.ends_s <= now_s) unknown.push_back(&usage);
  }
  if (unknown.empty()) co_return;
  RedisConnection connection;
  co_await connection.open(exchange, config.redis);
  for (const Usage* usage : unknown) connection.add({"GET", usage->key});
  const std::vector<long long> used = co_await connection.answers();
  connection.keep();
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    Local& counter = local.counters[unknown[i]->key];
    counter.used = used[i];
    counter.ends_s = unknown[i]->began_s + kPeriods[unknown[i]->limit.period].seconds;
  }
}

/// The first request after `sync_rate` takes the worker's counts along.
Task<> count_locally(Exchange& exchange, const Config& config, std::vector<Usage>& usages, std::int64_t now_s) {
  LocalCounters& local = local_counters(config.redis);
  const auto age_ms = static_cast<double>(exchange.node().now_ms() - local.synced_ms);
  if (age_ms >= config.sync_rate * 1000) co_await bring(exchange, config, local);
  co_await learn(exchange, config, usages, local, now_s);
  bool refused = false;
  for (Usage& usage : usages) {
    const Local& counter = local.counters[usage.key];
    usage.used = counter.used + counter.added;
    refused = refused || usage.exceeded();
  }
  if (refused) co_return;
  for (const Usage& usage : usages) {
    Local& counter = local.counters[usage.key];
    if (counter.ends_s == 0) counter.ends_s = usage.began_s + kPeriods[usage.limit.period].seconds;
    ++counter.added;
  }
}

}  // namespace

Task<> use_redis(Exchange& exchange, const Config& config, std::vector<Usage>& usages, std::int64_t now_s) {
  if (config.sync_rate == -1) return count_in_redis(exchange, config, usages);
  return count_locally(exchange, config, usages, now_s);
}

}  // namespace rate_limiting
