#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "entry.hpp"
#include "gibbon/plugin.hpp"

gibbon::Schema request_response_logger_schema();

namespace {

using namespace gibbon;

struct Config {
  explicit Config(const ConfigView& view) {
    to.url = view.string("log_endpoint", "http://localhost:3000/logs");
    to.timeout_ms = whole(view.number("timeout", 10000));
    to.keepalive_ms = whole(view.number("keepalive", 60000));
    const auto headers = view.record("headers");
    for (const std::string& name : view.keys("headers")) to.headers.emplace_back(name, headers->string(name));
    const std::size_t limit = whole(view.number("max_body_size", 1024));
    if (view.boolean("log_request_body", true)) limits.request_body_bytes = limit;
    if (view.boolean("log_response_body", true)) limits.response_body_bytes = limit;
  }

  static std::uint32_t whole(double value) {
    return static_cast<std::uint32_t>(std::clamp(value, 0.0, 4294967295.0));
  }

  Destination to;
  Exchange::RecordLimits limits;
};

/// Nothing is kept between the phases: the gateway holds what it was asked to capture, and a request that matched no
/// route, for which `access` does not run, is recorded all the same.
struct Handler {
  static constexpr int PRIORITY = 1000;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;

  static void access(Exchange& exchange, const Config& config) {
    if (const auto limit = config.limits.request_body_bytes) exchange.request().capture_body(*limit);
  }

  static void header_filter(Exchange& exchange, const Config& config) {
    if (const auto limit = config.limits.response_body_bytes) exchange.response().capture_body(*limit);
  }

  static void log(Exchange& exchange, const Config& config) { exchange.record(config.limits); }

  static Destination destination(const Config& config) { return config.to; }

  static void encode(const ExchangeRecord& record, const Config&, std::string& out) {
    request_response_logger::append_entry(record, out);
  }
};

}  // namespace

GIBBON_PLUGIN("request-response-logger", Handler, Config, request_response_logger_schema)
