#include "config/health.hpp"

#include <algorithm>

namespace gibbon::config {
namespace {

constexpr std::uint64_t kSuccessMask = 0xff, kFailureMask = 0xffffff00;

}  // namespace

Health Health::after(Event event, std::uint32_t limit) const {
  const bool success = event == Event::kSuccess;
  if (limit == 0 || state() == (success ? State::kHealthy : State::kUnhealthy)) return *this;
  std::uint64_t counters = word_ & (success ? kSuccessMask : kFailureMask);
  const std::uint32_t counted = std::min(count(event) + 1U, 255U);
  counters = (counters & ~(std::uint64_t{0xff} << shift(event))) | (std::uint64_t{counted} << shift(event));
  State next = state();
  if (counted >= limit) {
    next = success ? State::kHealthy : State::kUnhealthy;
  } else if (next == State::kHealthy) {
    next = State::kMostlyHealthy;
  } else if (next == State::kUnhealthy) {
    next = State::kMostlyUnhealthy;
  }
  return Health((static_cast<std::uint64_t>(next) << 32) | counters);
}

HealthReport status_report(const Healthcheck& check, int status) {
  const auto listed = [status](const std::vector<std::uint16_t>& statuses) {
    return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
  };
  if (listed(check.healthy_statuses)) return {Health::Event::kSuccess, check.successes};
  if (status == 0 || listed(check.unhealthy_statuses))
    return {Health::Event::kHttpFailure, check.http_failures};
  return {Health::Event::kHttpFailure, 0};
}

bool has_health_checks(const Upstream& upstream) {
  return upstream.active.healthy_interval_s != 0 || upstream.active.unhealthy_interval_s != 0 ||
         upstream.passive.tcp_failures != 0 || upstream.passive.timeouts != 0 ||
         upstream.passive.http_failures != 0;
}

}  // namespace gibbon::config
