// How long it takes to find a credential and its consumer among 10 to 100,000, and to make the index.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "gateway/consumers/entity_index.hpp"
#include "gibbon/fields.hpp"

namespace {

using namespace gibbon;

std::string key_of(std::size_t i) { return "a1b2c3d4e5f60718293a4b5c6d7e" + std::to_string(100000 + i); }

config::Snapshot make_snapshot(std::size_t count) {
  config::Snapshot snapshot;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(100000 + i), id = "0f7b5b02-5a4b-4b43-9f0f-3c1a1b" + number;
    snapshot.consumers.push_back({id, "consumer-" + number, number});
    snapshot.plugin_entities["keyauth_credentials"].push_back(std::make_shared<const config::PluginEntity>(
        config::PluginEntity{id, id, 0, {{"id", id}, {"key", key_of(i)}, {"consumer", id}}}));
  }
  return snapshot;
}

const std::vector<Entity>& kinds() {
  static const std::vector<Entity> all = {{.name = "keyauth_credentials",
                                           .schema = fields::record({{"key", fields::string().unique()}}),
                                           .endpoint_key = "key"}};
  return all;
}

void find(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const config::Snapshot snapshot = make_snapshot(count);
  const gateway::EntityIndex index(snapshot, kinds());
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < 4096; ++i) keys.push_back(key_of(i * 7919 % count));
  std::size_t at = 0;
  for (auto _ : state) {
    const EntityView* found = index.find("keyauth_credentials", keys[at++ % keys.size()], 1);
    benchmark::DoNotOptimize(found->consumer->username);
  }
}
BENCHMARK(find)->Arg(10)->Arg(10000)->Arg(100000);

void miss(benchmark::State& state) {
  const config::Snapshot snapshot = make_snapshot(static_cast<std::size_t>(state.range(0)));
  const gateway::EntityIndex index(snapshot, kinds());
  for (auto _ : state)
    benchmark::DoNotOptimize(
        index.find("keyauth_credentials", "nobody's key, of the same length as theirs", 1));
}
BENCHMARK(miss)->Arg(10000);

void build(benchmark::State& state) {
  const config::Snapshot snapshot = make_snapshot(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(gateway::EntityIndex(snapshot, kinds()).find_consumer("nobody"));
}
BENCHMARK(build)->Arg(10000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
