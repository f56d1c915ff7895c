// How long it takes to find a route among 10 to 100,000, and to build the router.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "gateway/router/path.hpp"
#include "gateway/router/router.hpp"

namespace {

using gibbon::config::Route;
using gibbon::config::Service;
using gibbon::gateway::Match;
using gibbon::gateway::MatchInput;
using gibbon::gateway::Router;

enum class Shape {
  kPaths,         // one path each, no hosts
  kHosts,         // ten paths on each of n/10 hosts
  kRegexes,       // a regex path each, as /api/v1/resource-7/(?<id>\d+)$
  kGroups,        // a regex path each that tells itself apart late, as /v\d+/(?<id>[^/]+)/resource-7$
  kHeaders,       // the same path, told apart by a header
  kMixed,         // kHosts, with wildcard hosts, regexes, methods and a catch-all beside them
};

std::string host_of(std::size_t i) { return "tenant-" + std::to_string(i / 10) + ".example.com"; }
std::string path_of(std::size_t i) { return "/api/v1/resource-" + std::to_string(i) + "/items"; }

std::vector<Route> make_routes(Shape shape, std::size_t count) {
  std::vector<Route> routes(count);
  for (std::size_t i = 0; i < count; ++i) {
    Route& route = routes[i];
    route.id = std::to_string(i);
    route.protocols = {"http", "https"};
    switch (shape) {
      case Shape::kPaths: route.paths = {path_of(i)}; break;
      case Shape::kHosts: route.hosts = {host_of(i)}; route.paths = {path_of(i)}; break;
      case Shape::kRegexes:
        route.paths = {"~/api/v1/resource-" + std::to_string(i) + "/(?<id>\\d+)$"};
        break;
      case Shape::kGroups: route.paths = {"~/v\\d+/(?<id>[^/]+)/resource-" + std::to_string(i) + "$"}; break;
      case Shape::kHeaders:
        route.paths = {"/api"};
        route.headers = {{"x-tenant", {"tenant-" + std::to_string(i)}}};
        break;
      case Shape::kMixed:
        route.hosts = {i % 10 == 9 ? "*." + host_of(i) : host_of(i)};
        route.paths = {i % 10 == 8 ? "~/api/v1/resource-" + std::to_string(i) + "/\\w+$" : path_of(i)};
        if (i % 3 == 0) route.methods = {"GET", "POST"};
        break;
    }
  }
  if (shape == Shape::kMixed) {
    routes.back() = Route();
    routes.back().paths = {"/"};
  }
  return routes;
}

struct Sample {
  std::string host, path, tenant;
};

std::vector<Sample> make_samples(Shape shape, std::size_t count) {
  std::mt19937_64 random(42);
  std::vector<Sample> samples(4096);
  for (Sample& sample : samples) {
    const std::size_t i = random() % count;
    sample.host = shape == Shape::kMixed && i % 10 == 9 ? "www." + host_of(i) : host_of(i);
    sample.path = shape == Shape::kRegexes ? "/api/v1/resource-" + std::to_string(i) + "/12345"
                  : shape == Shape::kGroups ? "/v1/12345/resource-" + std::to_string(i)
                  : shape == Shape::kHeaders ? "/api/things" : path_of(i);
    sample.tenant = "tenant-" + std::to_string(i);
  }
  return samples;
}

void each_header(const void* context, std::string_view name, gibbon::gateway::HeaderSource::Visit visit, void* argument) {
  if (name == "x-tenant") visit(argument, static_cast<const Sample*>(context)->tenant);
}

void match(benchmark::State& state, Shape shape) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const Router router = Router::build(make_routes(shape, count), {}, nullptr);
  const std::vector<Sample> samples = make_samples(shape, count);
  std::size_t next = 0, missed = 0;
  for (auto _ : state) {
    const Sample& sample = samples[next++ % samples.size()];
    MatchInput input;
    input.method = "GET";
    input.host = sample.host;
    input.path = sample.path;
    input.headers = {&each_header, &sample};
    Match found;
    missed += !router.match(input, &found);
    benchmark::DoNotOptimize(found.route);
  }
  if (missed != 0) state.SkipWithError("a request matched no route");
}

void miss(benchmark::State& state) {
  const Router router =
      Router::build(make_routes(Shape::kHosts, static_cast<std::size_t>(state.range(0))), {}, nullptr);
  MatchInput input;
  input.method = "GET";
  input.host = "nobody.example.com";
  input.path = "/api/v1/resource-1/items";
  for (auto _ : state) {
    Match found;
    benchmark::DoNotOptimize(router.match(input, &found));
  }
}

void build(benchmark::State& state) {
  const std::vector<Route> routes = make_routes(Shape::kMixed, static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(Router::build(routes, {}, nullptr));
}

void normalize(benchmark::State& state, std::string_view path) {
  std::string buffer;
  for (auto _ : state) benchmark::DoNotOptimize(gibbon::gateway::normalize_path(path, buffer));
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int count : {10, 1000, 10000, 100000}) benchmark->Arg(count);
}

BENCHMARK_CAPTURE(match, paths, Shape::kPaths)->Apply(sizes);
BENCHMARK_CAPTURE(match, hosts, Shape::kHosts)->Apply(sizes);
BENCHMARK_CAPTURE(match, regexes, Shape::kRegexes)->Apply(sizes);
BENCHMARK_CAPTURE(match, groups, Shape::kGroups)->Apply(sizes);
BENCHMARK_CAPTURE(match, headers, Shape::kHeaders)->Apply(sizes);
BENCHMARK_CAPTURE(match, mixed, Shape::kMixed)->Apply(sizes);
BENCHMARK(miss)->Apply(sizes);
BENCHMARK(build)->Apply(sizes)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(normalize, plain, "/api/v1/resource-7/items");
BENCHMARK_CAPTURE(normalize, encoded, "/api/v1/../v2/a%20b//c");

}  // namespace

BENCHMARK_MAIN();
