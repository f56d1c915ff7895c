#include "schema/custom_checks.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/ascii.hpp"
#include "schema/certificate_checks.hpp"

namespace gibbon::schema {
namespace {

using Violation = std::optional<std::string>;

/// Kong only warns that path_handling "v1" is on its way out.
Violation accept(const json::object&) { return {}; }

/// The fields "http_endpoint" and "headers": who authorizes by the URL cannot do so by a header as well.
Violation check_one_authorization(const json::object& record) {
  const json::value *endpoint = record.if_contains("http_endpoint"), *headers = record.if_contains("headers");
  if (endpoint == nullptr || !endpoint->is_string() || headers == nullptr || !headers->is_object()) return {};
  const std::string_view url = endpoint->get_string();
  const std::size_t start = url.find("://");
  if (start == std::string_view::npos) return {};
  const std::string_view authority = url.substr(start + 3, url.find_first_of("/?#", start + 3) - start - 3);
  if (authority.find('@') == std::string_view::npos) return {};
  for (const auto& header : headers->get_object())
    if (equals_lower(header.key(), "authorization"))
      return "specifying both an 'Authorization' header and user info in 'http_endpoint' is not allowed";
  return {};
}

/// A number as Kong shows it: "10.0".
std::string with_one_digit(double number) {
  char text[400];
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

/// rate-limiting's `config`: a longer time allows no fewer requests, and sync_rate is Redis's.
Violation check_rate_limits(const json::object& config) {
  constexpr std::string_view kPeriods[] = {"second", "minute", "hour", "day", "month", "year"};
  const auto number = [&config](std::string_view name) -> std::optional<double> {
    const json::value* value = config.if_contains(name);
    if (value == nullptr || !value->is_number()) return std::nullopt;
    return value->to_number<double>();
  };
  for (std::size_t lower = 0; lower < std::size(kPeriods); ++lower) {
    const auto low = number(kPeriods[lower]);
    for (std::size_t upper = lower + 1; low && upper < std::size(kPeriods); ++upper)
      if (const auto high = number(kPeriods[upper]); high && *high < *low)
        return "The limit for " + std::string(kPeriods[upper]) + "(" + with_one_digit(*high) +
               ") cannot be lower than the limit for " + std::string(kPeriods[lower]) + "(" + with_one_digit(*low) + ")";
  }
  const double sync_rate = number("sync_rate").value_or(-1);
  const json::value* policy = config.if_contains("policy");
  const bool in_redis = policy != nullptr && policy->is_string() && policy->get_string() == "redis";
  if (sync_rate == -1) return {};
  if (!in_redis) return "sync_rate can only be used with the redis policy";
  if (sync_rate < 0.02) return "sync_rate must be greater than 0.02, or -1 to disable";
  return {};
}

constexpr std::pair<std::string_view, Violation (*)(const json::object&)> kChecks[] = {
    {"path_handling", accept},
    {"rate_limits", check_rate_limits},
    {"certificate_key", check_certificate_key},
    {"certificate_alt_key", check_certificate_alt_key},
    {"certificate_types", check_certificate_types},
    {"ca_certificate", check_ca_certificate},
    {"one_authorization", check_one_authorization},
};

}  // namespace

std::optional<std::string> run_custom_check(const EntityCheck& check, const json::object& entity) {
  for (const auto& [name, run] : kChecks) {
    if (name != check.custom_name) continue;
    Violation bad = run(entity);
    return bad && !check.message.empty() ? check.message : bad;
  }
  return "failed entity check: " + check.custom_name;
}

bool is_listed_check(std::string_view name) { return name != "one_authorization"; }

bool is_known_check(std::string_view name) {
  return std::any_of(std::begin(kChecks), std::end(kChecks),
                     [&](const auto& check) { return check.first == name; });
}

}  // namespace gibbon::schema
