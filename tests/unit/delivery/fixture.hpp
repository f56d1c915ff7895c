#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "../record/build_record.hpp"
#include "../record/temporary_directory.hpp"
#include "agent/delivery/delivery.hpp"
#include "gibbon/json.hpp"
#include "gibbon/plugin.hpp"
#include "log_server.hpp"

namespace gibbon::testing {

using namespace std::chrono_literals;

/// A plugin that delivers the least: {"entry_id":...,"target":...,"secret":...}.
struct FakeConfig {
  explicit FakeConfig(const ConfigView& view) {
    to.url = view.string("url");
    to.timeout_ms = static_cast<std::uint32_t>(view.number("timeout", 10000));
  }
  Destination to;
};
struct FakeHandler {
  static constexpr int PRIORITY = 1;
  static constexpr const char* VERSION = "0.0.1";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;
  static Destination destination(const FakeConfig& config) { return config.to; }
  static void encode(const ExchangeRecord& record, const FakeConfig&, std::string& out) {
    if (record.target == "/throws") throw std::runtime_error("this one cannot be encoded");
    out += "{\"entry_id\":";
    append_json_string(out, record.entry_id);
    out += ",\n \"target\":";  // a line break that must not split the entry
    append_json_string(out, record.target);
    out += ",\"headers\":[";
    for (const auto& headers : {record.request_headers, record.response_headers})
      for (const Header& header : headers) {
        if (out.back() != '[') out += ',';
        append_json_string(out, std::string(header.name) + ": " + std::string(header.value));
      }
    out += "],\"body\":";
    append_json_string(out, record.request_body.bytes);
    out += '}';
  }
};
inline Schema fake_schema() { return fields::record({}); }
inline const PluginDescriptor& fake_plugin() {
  static const PluginDescriptor descriptor = detail::describe<FakeHandler, FakeConfig>("fake", fake_schema);
  return descriptor;
}
inline const plugin::Registry& fake_registry() {
  static const plugin::Registry registry = plugin::Registry::of({&fake_plugin()});
  return registry;
}

inline constexpr const char* kPluginId = "11111111-2222-4333-8444-555555555555";

inline std::shared_ptr<const config::Snapshot> snapshot_for(const std::string& url, std::uint64_t generation = 1,
                                                            int timeout_ms = 10000) {
  auto snapshot = std::make_shared<config::Snapshot>();
  snapshot->generation = generation;
  config::Plugin plugin;
  plugin.id = kPluginId;
  plugin.name = "fake";
  plugin.config = {{"url", url}, {"timeout", timeout_ms}};
  snapshot->plugins.push_back(std::move(plugin));
  return snapshot;
}

inline SampleExchange numbered(std::uint64_t n) {
  SampleExchange e;
  const auto id = config::parse_uuid(kPluginId);
  e.plugin_id = *id;
  e.id_ticks += n;
  std::memcpy(e.request_id.data(), &n, sizeof n);
  e.target = "/n/" + std::to_string(n);
  e.request_body = std::string(n % 50 * 20, 'x');
  return e;
}

inline std::string entry_id_of(const SampleExchange& e) {
  std::string bytes = record_bytes(e);
  const record::RecordHead head{static_cast<std::uint32_t>(bytes.size()), record::kExchangeRecord, 1};
  std::memcpy(bytes.data(), &head, sizeof head);
  record::ParsedRecord parsed;
  EXPECT_TRUE(parsed.parse({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}).ok());
  return std::string(parsed.exchange().entry_id);
}

template <typename Condition>
bool wait_until(Condition condition, std::chrono::milliseconds timeout = 30s) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

inline std::uint64_t dropped(const agent::DeliveryMetrics& m, const std::string& reason) {
  for (const auto& [name, count] : m.dropped)
    if (name == reason) return count;
  ADD_FAILURE() << "no such reason: " << reason;
  return 0;
}

inline std::string describe(const agent::DeliveryMetrics& m) {
  std::string text = "captured " + std::to_string(m.captured) + ", delivered " + std::to_string(m.delivered) +
                     ", pending " + std::to_string(m.pending_ring) + "+" + std::to_string(m.pending_memory) + "+" +
                     std::to_string(m.pending_spool) + ", dropped";
  for (const auto& [name, count] : m.dropped)
    if (count > 0) text += " " + name + ":" + std::to_string(count);
  for (const auto& e : m.endpoints) text += "; " + e.url + " " + e.last_error;
  return text;
}

/// A ring, a log server and a delivery between them.
class DeliveryTest : public ::testing::Test {
 protected:
  void SetUp() override { claim_ring(); }
  void TearDown() override {
    if (delivery) check_sum();
    delivery.reset();
  }
  void claim_ring() {
    auto claimed = record::RingProducer::claim(shared.path(), ring_bytes);
    ASSERT_TRUE(claimed.ok());
    producer = std::make_unique<record::RingProducer>(std::move(*claimed));
  }
  agent::DeliveryOptions options() {
    agent::DeliveryOptions o;
    o.shared_directory = shared.path();
    o.spool_directory = spool.path();
    o.spool_max_bytes = spool_max_bytes;
    o.plugins = &fake_registry();
    o.files = files;
    return o;
  }
  void start(int timeout_ms = 10000) {
    delivery = std::make_unique<agent::Delivery>(options());
    Status started = delivery->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    delivery->publish(snapshot_for(server.url(), 1, timeout_ms));
  }
  /// Pushes `count` more exchanges, each of which must fit.
  void push(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const SampleExchange e = numbered(++pushed);
      ASSERT_TRUE(gibbon::testing::push(*producer, e));
      expected.insert(entry_id_of(e));
    }
  }
  /// Everything that was pushed has come, and nothing else; nothing waits any more.
  void expect_all(bool exactly_once = true) {
    ASSERT_TRUE(wait_until([&] { return delivery->metrics().pending() == 0 && server.distinct() >= expected.size(); }))
        << server.distinct() << " of " << expected.size() << "; " << describe(delivery->metrics());
    std::set<std::string> ids;
    for (const auto& [id, times] : server.received()) {
      ids.insert(id);
      if (exactly_once) {
        EXPECT_EQ(times, 1) << id;
      }
    }
    EXPECT_EQ(ids, expected);
    const agent::DeliveryMetrics m = delivery->metrics();
    EXPECT_EQ(m.delivered, expected.size());
    EXPECT_EQ(m.total_dropped(), 0u) << describe(m);
    check_sum();
  }
  void check_sum() {
    const agent::DeliveryMetrics m = delivery->metrics();
    EXPECT_EQ(m.captured, m.delivered + m.total_dropped() + m.pending()) << describe(m);
  }
  bool ring_is_empty() { return producer->header().head.load() == producer->header().tail.load(); }

  TemporaryDirectory shared, spool;
  std::uint64_t ring_bytes = 1 << 20, spool_max_bytes = 64 << 20;
  agent::FileSystem* files = nullptr;
  LogServer server;
  std::unique_ptr<record::RingProducer> producer;
  std::unique_ptr<agent::Delivery> delivery;
  std::uint64_t pushed = 0;
  std::set<std::string> expected;
};

}  // namespace gibbon::testing
