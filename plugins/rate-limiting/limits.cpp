#include "limits.hpp"

#include <chrono>

namespace rate_limiting {

std::int64_t began(std::size_t period, std::int64_t now_s) {
  using namespace std::chrono;
  constexpr std::size_t kMonth = 4, kYear = 5;
  if (period < kMonth) return now_s - now_s % kPeriods[period].seconds;
  const year_month_day today(floor<days>(sys_seconds(seconds(now_s))));
  const auto first = today.year() / (period == kYear ? January : today.month()) / day(1);
  return duration_cast<seconds>(sys_days(first).time_since_epoch()).count();
}

Redis::Redis(const gibbon::ConfigView& view)
    : host(view.string("host")),
      username(view.string("username")),
      password(view.string("password")),
      server_name(view.string("server_name")),
      port(view.integer("port", 6379)),
      database(view.integer("database")),
      timeout_ms(view.integer("timeout", 2000)),
      ssl(view.boolean("ssl")),
      ssl_verify(view.boolean("ssl_verify")) {}

Config::Config(const gibbon::ConfigView& view)
    : limit_by(view.string("limit_by", "consumer")),
      header_name(view.string("header_name")),
      path(view.string("path")),
      policy(view.string("policy", "local")),
      error_message(view.string("error_message", "API rate limit exceeded")),
      fault_tolerant(view.boolean("fault_tolerant", true)),
      hide_client_headers(view.boolean("hide_client_headers")),
      error_code(static_cast<int>(view.number("error_code", 429))),
      sync_rate(view.number("sync_rate", -1)),
      redis(*view.record("redis")) {
  for (std::size_t i = 0; i < kPeriods.size(); ++i)
    if (!view.is_null(kPeriods[i].name)) limits.push_back({i, view.number(kPeriods[i].name)});
}

}  // namespace rate_limiting
