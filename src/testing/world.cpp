#include "testing/world.hpp"

#include <algorithm>

namespace gibbon::testing {
namespace {

constexpr Phases kWaitingPhases = {Phase::kRewrite, Phase::kAccess, Phase::kResponse, Phase::kTimer, Phase::kInitWorker};

void require_waiting(const char* function, Phase phase) {
  if (!kWaitingPhases.has(phase)) throw PhaseError(function, phase, kWaitingPhases);
}

[[noreturn]] void refuse(const char* what) {
  throw WaitError(WaitError::Kind::kConnection, std::string("the test answers no ") + what);
}

}  // namespace

std::int64_t World::increment(std::string_view key, std::int64_t by, std::chrono::seconds ttl) {
  Counter& counter = counters_[std::string(key)];
  if (counter.ends_ms <= clock.now_ms) counter = {0, clock.now_ms + std::chrono::milliseconds(ttl).count()};
  return counter.value += by;
}

std::int64_t World::get(std::string_view key) const {
  const auto found = counters_.find(key);
  return found == counters_.end() || found->second.ends_ms <= clock.now_ms ? 0 : found->second.value;
}

void World::add(std::size_t family, std::span<const std::string_view> labels, double value) {
  if (family >= families.size()) throw std::logic_error("there is no metric " + std::to_string(family));
  if (labels.size() != families[family].labels.size())
    throw std::logic_error(families[family].name + " has " + std::to_string(families[family].labels.size()) +
                           " labels, not " + std::to_string(labels.size()));
  Figure& figure = figures_[{family, {labels.begin(), labels.end()}}];
  figure.sum += value;
  ++figure.count;
}

Figure World::figure(std::string_view family, const std::vector<std::string>& labels) const {
  const auto named = std::find_if(families.begin(), families.end(), [&](const auto& f) { return f.name == family; });
  if (named == families.end()) throw std::invalid_argument("the plugin has no metric " + std::string(family));
  const auto found = figures_.find({static_cast<std::size_t>(named - families.begin()), labels});
  return found == figures_.end() ? Figure{} : found->second;
}

void World::put_task(std::int64_t delay_ms, Work work, std::int64_t interval_ms) {
  tasks.emplace(Clock::Ticket{clock.now_ms + std::max<std::int64_t>(0, delay_ms), ++task_count},
                Waiting{std::move(work), interval_ms});
}

void World::run_tasks_until(std::int64_t then_ms) {
  constexpr int kMost = 100000;
  for (int runs = 0; !tasks.empty() && tasks.begin()->first.first <= then_ms; ++runs) {
    if (runs == kMost) throw std::logic_error("tasks make tasks without end");
    auto next = tasks.extract(tasks.begin());
    clock.now_ms = std::max(clock.now_ms, next.key().first);
    Waiting& task = next.mapped();
    guarded(Phase::kTimer, [&] {
      TestBackground background(*this, Phase::kTimer);
      clock.finish(task.work(background));
    });
    if (task.interval_ms >= 0) put_task(std::max<std::int64_t>(task.interval_ms, 1), std::move(task.work), task.interval_ms);
  }
  clock.now_ms = std::max(clock.now_ms, then_ms);
}

std::string World::guarded(Phase phase, const std::function<void()>& f) {
  std::string what;
  try {
    f();
    return {};
  } catch (const std::exception& thrown) {
    what = thrown.what();
  } catch (...) {
    what = "it threw something that is no std::exception";
  }
  write(Level::kError, std::string("exception in ") + phase_name(phase) + ": " + what);
  return std::string(phase_name(phase)) + ": " + what;
}

Wait<void> wait_sleep(World& world, Phase phase, std::chrono::milliseconds time) {
  require_waiting("sleep", phase);
  return later<void>(world.clock, time.count(), [] {});
}

Wait<HttpResponse> wait_http(World& world, Phase phase, HttpRequest request) {
  require_waiting("http", phase);
  return later<HttpResponse>(world.clock, 0, [&world, request = std::move(request)]() -> HttpResponse {
    if (!world.http) refuse("http()");
    HttpResponse answer = world.http(request);
    if (answer.body.size() > request.max_body_bytes)
      throw WaitError(WaitError::Kind::kTooLarge, "the answer has more than " + std::to_string(request.max_body_bytes) + " bytes");
    return answer;
  });
}

Wait<std::vector<std::string>> wait_resolve(World& world, Phase phase, std::string name) {
  require_waiting("resolve", phase);
  return later<std::vector<std::string>>(world.clock, 0, [&world, name = std::move(name)]() -> std::vector<std::string> {
    if (!world.resolve) refuse("resolve()");
    return world.resolve(name);
  });
}

Wait<std::unique_ptr<Socket>> wait_connect(World& world, Phase phase, ConnectOptions options) {
  require_waiting("connect", phase);
  return later<std::unique_ptr<Socket>>(
      world.clock, 0, [&world, options = std::move(options)]() -> std::unique_ptr<Socket> {
        if (!world.connect) refuse("connect()");
        return world.connect(options);
      });
}

}  // namespace gibbon::testing
