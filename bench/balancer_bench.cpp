// How long it takes to pick a peer among 1 to 1,000.
#include <benchmark/benchmark.h>

#include <string>

#include "base/hash.hpp"
#include "gateway/balancer/balancer.hpp"

namespace {

using gibbon::config::Upstream;
using gibbon::gateway::Balancer;

void pick(benchmark::State& state, Upstream::Algorithm algorithm) {
  Upstream upstream;
  upstream.algorithm = algorithm;
  std::vector<gibbon::config::TargetPlan> targets;
  for (int i = 0; i < state.range(0); ++i) {
    const std::string ip = "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
    targets.push_back({ip + ":80", ip, 80, static_cast<std::uint32_t>(100 + i % 7)});
  }
  Balancer balancer(nullptr, 1);
  balancer.configure(upstream, targets);
  for (std::size_t i = 0; i < targets.size(); ++i)
    balancer.set_answer(i, gibbon::gateway::HostAnswer::literal(*gibbon::gateway::Address::parse(targets[i].host)));
  std::uint64_t number = 0;
  for (auto _ : state) {
    gibbon::gateway::Peer* peer = balancer.pick({.hash = gibbon::mix_bits(++number), .now_ms = 1000});
    benchmark::DoNotOptimize(peer);
    Balancer::leave(*peer);
  }
}

BENCHMARK_CAPTURE(pick, round_robin, Upstream::Algorithm::kRoundRobin)->RangeMultiplier(10)->Range(1, 1000);
BENCHMARK_CAPTURE(pick, consistent_hashing, Upstream::Algorithm::kConsistentHashing)->RangeMultiplier(10)->Range(1, 1000);
BENCHMARK_CAPTURE(pick, least_connections, Upstream::Algorithm::kLeastConnections)->RangeMultiplier(10)->Range(1, 1000);
BENCHMARK_CAPTURE(pick, latency, Upstream::Algorithm::kLatency)->RangeMultiplier(10)->Range(1, 1000);

}  // namespace

BENCHMARK_MAIN();
