#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "limits.hpp"

gibbon::Schema rate_limiting_schema();

namespace {

using namespace gibbon;
using namespace rate_limiting;

std::string_view header_identifier(Exchange& exchange, const Config& config) {
  const Parameter found = exchange.request().find_header(config.header_name);
  if (found.kind == Parameter::Kind::kMissing) return exchange.client().ip();
  if (found.kind == Parameter::Kind::kText) return found.text;
  std::string lower = config.header_name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return exchange.request().header(lower);
}

/// Whose requests are counted together.
std::string_view identifier(Exchange& exchange, const Config& config) {
  const Client& client = exchange.client();
  const std::string& by = config.limit_by;
  if (by == "service" && exchange.router().service() != nullptr) return exchange.router().service()->id;
  if (by == "consumer" && client.consumer() != nullptr) return client.consumer()->id;
  if ((by == "consumer" || by == "credential") && client.credential() != nullptr) return client.credential()->id;
  if (by == "header") return header_identifier(exchange, config);
  if (by == "path" && exchange.request().path() == config.path) return exchange.request().path();
  return client.ip();
}

/// Kong's keys: "ratelimit:route:service:identifier:milliseconds:period".
std::vector<Usage> usages_of(Exchange& exchange, const Config& config, std::int64_t now_s) {
  constexpr std::string_view kNone = "00000000-0000-0000-0000-000000000000";
  const PluginScope scope = exchange.scope();
  const std::string_view who = identifier(exchange, config);
  std::string prefix = "ratelimit:";
  prefix.append(scope.route_id.empty() ? kNone : scope.route_id).append(":");
  prefix.append(scope.service_id.empty() ? kNone : scope.service_id).append(":").append(who).append(":");
  std::vector<Usage> usages;
  for (const Limit& limit : config.limits) {
    const std::int64_t start = began(limit.period, now_s);
    usages.push_back({limit, start, prefix + std::to_string(start) + "000:" + kPeriods[limit.period].name});
  }
  return usages;
}

bool any_exceeded(const std::vector<Usage>& usages) {
  return std::any_of(usages.begin(), usages.end(), [](const Usage& usage) { return usage.exceeded(); });
}

/// Counts a request that no limit stands against. Where another worker took the last place in between, it is not
/// counted after all.
void use_counters(Counters& counters, std::vector<Usage>& usages) {
  for (Usage& usage : usages) usage.used = counters.get(usage.key);
  if (any_exceeded(usages)) return;
  const auto add = [&](Usage& usage, int by) {
    return counters.increment(usage.key, by, std::chrono::seconds(kPeriods[usage.limit.period].seconds));
  };
  for (Usage& usage : usages) usage.used = add(usage, 1) - 1;
  if (any_exceeded(usages))
    for (Usage& usage : usages) add(usage, -1);
}

/// As Lua shows it: "5", "2.5".
std::string text_of(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::general, 14).ptr;
  return {text, end};
}

/// Tells the client of its limits.
void tell(Exchange& exchange, const std::vector<Usage>& usages, std::int64_t now_s, bool refused) {
  const Usage* nearest = nullptr;
  double least = 0;
  Response& response = exchange.response();
  for (const Usage& usage : usages) {
    const Period& period = kPeriods[usage.limit.period];
    double remaining = usage.limit.requests - static_cast<double>(usage.used);
    if (!refused || usage.exceeded()) remaining -= 1;
    remaining = std::max(0.0, remaining);
    // Of equal ones the longest: they come in rising order.
    if (nearest == nullptr || remaining <= least) {
      nearest = &usage;
      least = remaining;
    }
    response.set_header(std::string("X-RateLimit-Limit-") + period.header, text_of(usage.limit.requests));
    response.set_header(std::string("X-RateLimit-Remaining-") + period.header, text_of(remaining));
  }
  if (nearest == nullptr) return;
  const std::int64_t reset =
      std::max<std::int64_t>(1, kPeriods[nearest->limit.period].seconds - (now_s - nearest->began_s));
  response.set_header("RateLimit-Limit", text_of(nearest->limit.requests));
  response.set_header("RateLimit-Remaining", text_of(least));
  response.set_header("RateLimit-Reset", std::to_string(reset));
  if (refused) response.set_header("Retry-After", std::to_string(reset));
}

void decide(Exchange& exchange, const Config& config, const std::vector<Usage>& usages, std::int64_t now_s) {
  const bool refused = any_exceeded(usages);
  if (!config.hide_client_headers) tell(exchange, usages, now_s, refused);
  if (refused) exchange.error(config.error_code, config.error_message);
}

/// The request could not be counted.
void fail(Exchange& exchange, const Config& config, const char* why) {
  exchange.log().err(std::string("failed to get usage: ") + why);
  if (!config.fault_tolerant) exchange.error(500, "An unexpected error occurred");
}

Task<> access_redis(Exchange& exchange, const Config& config) {
  const std::int64_t now_s = exchange.node().now_ms() / 1000;
  std::vector<Usage> usages = usages_of(exchange, config, now_s);
  std::string problem;
  try {
    co_await use_redis(exchange, config, usages, now_s);
  } catch (const std::exception& failure) {
    problem = failure.what();
    if (problem.empty()) problem = "unknown";
  }
  if (problem.empty()) {
    decide(exchange, config, usages, now_s);
  } else {
    fail(exchange, config, problem.c_str());
  }
}

struct Handler {
  static constexpr int PRIORITY = 910;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;

  static Task<> access(Exchange& exchange, const Config& config) {
    if (config.policy == "redis") return access_redis(exchange, config);
    const std::int64_t now_s = exchange.node().now_ms() / 1000;
    std::vector<Usage> usages = usages_of(exchange, config, now_s);
    try {
      use_counters(exchange.node().counters(), usages);
    } catch (const std::exception& failure) {
      fail(exchange, config, failure.what());
      return {};
    }
    decide(exchange, config, usages, now_s);
    return {};
  }
};

}  // namespace

GIBBON_PLUGIN("rate-limiting", Handler, Config, rate_limiting_schema)
