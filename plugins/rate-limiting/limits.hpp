#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gibbon/plugin.hpp"

/// What is limited, and how times are parted.
namespace rate_limiting {

struct Period {
  const char* name;    ///< "minute", in configurations and keys.
  const char* header;  ///< "Minute"
  std::int64_t seconds;
};
inline constexpr std::array<Period, 6> kPeriods = {{{"second", "Second", 1},
                                                    {"minute", "Minute", 60},
                                                    {"hour", "Hour", 3600},
                                                    {"day", "Day", 86400},
                                                    {"month", "Month", 2592000},
                                                    {"year", "Year", 31536000}}};

/// When the period that `now_s` lies in began: seconds since the epoch, in UTC.
std::int64_t began(std::size_t period, std::int64_t now_s);

struct Redis {
  explicit Redis(const gibbon::ConfigView& view);
  std::string host, username, password, server_name;
  std::int64_t port, database, timeout_ms;
  bool ssl, ssl_verify;
};

struct Limit {
  std::size_t period;  ///< Of kPeriods.
  double requests;
};

struct Config {
  explicit Config(const gibbon::ConfigView& view);
  std::vector<Limit> limits;
  std::string limit_by, header_name, path, policy, error_message;
  bool fault_tolerant, hide_client_headers;
  int error_code;
  double sync_rate;
  Redis redis;
};

/// A limit in the middle of a request: its counter's key, and how often it was used before.
struct Usage {
  Limit limit;
  std::int64_t began_s;
  std::string key;
  std::int64_t used = 0;
  [[nodiscard]] bool exceeded() const { return limit.requests - static_cast<double>(used) <= 0; }
};

/// Counts the request in Redis, and says how often each limit was used before. Throws WaitError and std::runtime_error.
gibbon::Task<> use_redis(gibbon::Exchange& exchange, const Config& config, std::vector<Usage>& usages,
                         std::int64_t now_s);

}  // namespace rate_limiting
