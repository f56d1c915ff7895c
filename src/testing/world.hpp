#pragma once

#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "gibbon/testing.hpp"
#include "testing/clock.hpp"

/// What all requests and tasks of one tested gateway share.
namespace gibbon::testing {

struct StoredEntity {
  std::string collection, key, id;
  const Consumer* consumer = nullptr;
  std::deque<std::string> texts;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  EntityView view;
};

struct StoredConsumer {
  TestConsumer texts;
  Consumer view;
};

struct Figure {
  double sum = 0;
  std::uint64_t count = 0;
};

struct World final : Counters, Metrics, Node, Log {
  explicit World(const PluginDescriptor& descriptor) : plugin(descriptor) {
    if (plugin.metrics != nullptr) families = plugin.metrics();
  }

  const PluginDescriptor& plugin;
  Clock clock;
  const void* config = nullptr;
  Gateway::Upstream upstream;
  Gateway::Http http;
  Gateway::Resolve resolve;
  Gateway::Connect connect;
  std::deque<StoredConsumer> consumers;
  std::deque<StoredEntity> entities;
  std::string route_name = "test", service_name = "test";
  std::vector<LogLine> lines;
  std::vector<std::string> entries;
  std::vector<MetricFamily> families;

  struct Waiting {
    Node::Work work;
    std::int64_t interval_ms;  ///< Negative: once.
  };
  std::map<Clock::Ticket, Waiting> tasks;
  std::uint64_t task_count = 0;

  // Counters.
  std::int64_t increment(std::string_view key, std::int64_t by, std::chrono::seconds ttl) override;
  [[nodiscard]] std::int64_t get(std::string_view key) const override;
  // Metrics.
  void add(std::size_t family, std::span<const std::string_view> labels, double value) override;
  [[nodiscard]] Figure figure(std::string_view family, const std::vector<std::string>& labels) const;
  // Node.
  [[nodiscard]] std::string_view id() const override { return "7b6f3a52-2c6d-4f0e-9f5a-0c1d2e3f4a5b"; }
  [[nodiscard]] std::string_view hostname() const override { return "test"; }
  [[nodiscard]] std::string_view version() const override { return "3.9.3"; }
  [[nodiscard]] std::uint32_t worker_id() const override { return 0; }
  [[nodiscard]] std::int64_t now_ms() const override { return clock.now_ms; }
  Counters& counters() override { return *this; }
  Metrics& metrics() override { return *this; }
  void after(std::chrono::milliseconds delay, Work work) override { put_task(delay.count(), std::move(work), -1); }
  void every(std::chrono::milliseconds interval, Work work) override {
    put_task(interval.count(), std::move(work), interval.count());
  }
  // Log.
  void write(Level level, std::string_view message) override { lines.push_back({level, std::string(message)}); }

  void put_task(std::int64_t delay_ms, Work work, std::int64_t interval_ms);
  /// Runs the tasks that are due by then, and moves the time there.
  void run_tasks_until(std::int64_t then_ms);
  /// Calls `f`; what it lets escape is logged, and given back: "access: why".
  std::string guarded(Phase phase, const std::function<void()>& f);

 private:
  struct Counter {
    std::int64_t value = 0, ends_ms = 0;
  };
  std::map<std::string, Counter, std::less<>> counters_;
  std::map<std::pair<std::size_t, std::vector<std::string>>, Figure> figures_;
};

/// Answers for what coroutines wait for. `phase` says when it is asked for.
Wait<void> wait_sleep(World& world, Phase phase, std::chrono::milliseconds time);
Wait<HttpResponse> wait_http(World& world, Phase phase, HttpRequest request);
Wait<std::vector<std::string>> wait_resolve(World& world, Phase phase, std::string name);
Wait<std::unique_ptr<Socket>> wait_connect(World& world, Phase phase, ConnectOptions options);

/// What a task without a request has.
class TestBackground final : public Background {
 public:
  TestBackground(World& world, Phase phase) : world_(world), phase_(phase) {}
  Node& node() override { return world_; }
  Log& log() override { return world_; }
  Wait<void> sleep(std::chrono::milliseconds time) override { return wait_sleep(world_, phase_, time); }
  Wait<HttpResponse> http(HttpRequest request) override { return wait_http(world_, phase_, std::move(request)); }
  Wait<std::vector<std::string>> resolve(std::string name) override { return wait_resolve(world_, phase_, std::move(name)); }
  Wait<std::unique_ptr<Socket>> connect(ConnectOptions o) override { return wait_connect(world_, phase_, std::move(o)); }

 private:
  World& world_;
  Phase phase_;
};

/// Runs one request through the phases.
Answer run_exchange(World& world, const ClientRequest& request);

}  // namespace gibbon::testing
