// What a change of one route costs beside 10 to 100,000 others: the agent's part and the worker's.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "agent/store/transaction.hpp"
#include "config/snapshot.hpp"
#include "gateway/chain/runtime.hpp"
#include "plugin/registry.hpp"

namespace {

using namespace gibbon;  // NOLINT: a benchmark

std::string id_of(std::size_t i) {
  std::string digits = std::to_string(i);
  return "00000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

json::object route(std::size_t i) {
  return {{"id", id_of(i)},
          {"name", "route-" + std::to_string(i)},
          {"protocols", {"http", "https"}},
          {"hosts", {"tenant-" + std::to_string(i / 10) + ".example.com"}},
          {"paths", {"/api/v1/resource-" + std::to_string(i)}},
          {"service", {{"id", id_of(0)}}},
          {"strip_path", true},
          {"created_at", 1700000000}};
}

agent::Image image_of(std::size_t routes) {
  agent::Image image;
  image.put(image.collections().at("services"), {{"id", id_of(0)}, {"name", "s"}, {"host", "127.0.0.1"}, {"port", 80}});
  for (std::size_t i = 1; i <= routes; ++i) image.put(image.collections().at("routes"), route(i));
  return image;
}

std::string whole_of(const agent::Image& image) {
  std::vector<config::SnapshotCollection> content;
  for (const char* name : {"services", "routes"}) {
    json::array entities;
    for (const auto& [id, row] : image.rows(name)) entities.push_back(*row);
    content.push_back({name, std::move(entities)});
  }
  return config::serialize_snapshot(1, content);
}

/// The store's image with one route changed.
void transaction(benchmark::State& state) {
  const auto image = image_of(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    agent::Transaction change(image);
    benchmark::DoNotOptimize(change.put(image.collections().at("routes"), route(1)).ok());
  }
}

/// A whole snapshot read from its text, and one that names a base that was read before.
void read_whole(benchmark::State& state) {
  const std::string text = whole_of(image_of(static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(config::parse_snapshot(text).ok());
}
void read_change(benchmark::State& state) {
  config::SnapshotReader reader("");
  benchmark::DoNotOptimize(reader.parse(whole_of(image_of(static_cast<std::size_t>(state.range(0))))).ok());
  const json::object changed = route(1);
  const std::string text = config::serialize_changes(2, 1, {{"routes", id_of(1), &changed}});
  for (auto _ : state) benchmark::DoNotOptimize(reader.parse(text).ok());
}

/// Router and chains, and their end.
void build_runtime(benchmark::State& state) {
  const auto snapshot = config::parse_snapshot(whole_of(image_of(static_cast<std::size_t>(state.range(0)))));
  const plugin::Registry registry;
  for (auto _ : state) benchmark::DoNotOptimize(gateway::Runtime::build(*snapshot, registry).ok());
}

BENCHMARK(transaction)->RangeMultiplier(10)->Range(10, 100000)->Unit(benchmark::kMicrosecond);
BENCHMARK(read_whole)->RangeMultiplier(10)->Range(10, 100000)->Unit(benchmark::kMicrosecond);
BENCHMARK(read_change)->RangeMultiplier(10)->Range(10, 100000)->Unit(benchmark::kMicrosecond);
BENCHMARK(build_runtime)->RangeMultiplier(10)->Range(10, 100000)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
