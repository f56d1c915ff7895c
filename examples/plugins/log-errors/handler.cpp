#include <cstdint>
#include <string>

#include "gibbon/json.hpp"
#include "gibbon/plugin.hpp"

gibbon::Schema log_errors_schema();

namespace {

struct Config {
  explicit Config(const gibbon::ConfigView& view)
      : endpoint(view.string("log_endpoint")),
        min_status(view.integer("min_status")),
        timeout_ms(static_cast<std::uint32_t>(view.integer("timeout"))) {}
  std::string endpoint;
  std::int64_t min_status;
  std::uint32_t timeout_ms;
};

struct Handler {
  static constexpr int PRIORITY = 11;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = gibbon::FailurePolicy::kOpen;

  /// The client has its answer. A copy goes to the agent, which sends it, tries again, and keeps it on disk meanwhile.
  static void log(gibbon::Exchange& exchange, const Config& config) {
    if (exchange.response().status() >= config.min_status) exchange.record({});
  }

  static gibbon::Destination destination(const Config& config) {
    return {.url = config.endpoint, .timeout_ms = config.timeout_ms};
  }

  static void encode(const gibbon::ExchangeRecord& record, const Config&, std::string& out) {
    out += "{\"time\":";
    gibbon::append_json_timestamp(out, record.started_us);
    out += ",\"method\":";
    gibbon::append_json_string(out, record.method);
    out += ",\"target\":";
    gibbon::append_json_string(out, record.target);
    out += ",\"status\":";
    gibbon::append_json_integer(out, record.status);
    out += '}';
  }
};

}  // namespace

GIBBON_PLUGIN("log-errors", Handler, Config, log_errors_schema)
