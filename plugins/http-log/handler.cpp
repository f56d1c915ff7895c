#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "gibbon/custom_fields.hpp"
#include "gibbon/plugin.hpp"
#include "gibbon/queue_config.hpp"

gibbon::Schema http_log_schema();

namespace {

using namespace gibbon;

bool is_sender_own(std::string_view name) {
  return detail::same_name(name, "host") || detail::same_name(name, "content-type") ||
         detail::same_name(name, "content-length");
}

struct Config {
  explicit Config(const ConfigView& view) : custom_fields(view) {
    to.url = view.string("http_endpoint");
    to.method = view.string("method", "POST");
    to.content_type = view.string("content_type", "application/json");
    to.timeout_ms = whole(view.number("timeout", 10000));
    to.keepalive_ms = whole(view.number("keepalive", 60000));
    to.ssl_verify = false;
    const auto headers = view.record("headers");
    for (const std::string& name : view.keys("headers"))
      if (!is_sender_own(name)) to.headers.emplace_back(name, headers->string(name));
    to.queue = queue_of(view);
  }

  static std::uint32_t whole(double value) {
    return static_cast<std::uint32_t>(std::clamp(value, 0.0, 4294967295.0));
  }

  Destination to;
  CustomFields custom_fields;
};

struct Handler {
  static constexpr int PRIORITY = 12;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;

  static void log(Exchange& exchange, const Config&) { exchange.record({}); }

  static Destination destination(const Config& config) { return config.to; }

  static void encode(const ExchangeRecord& record, const Config& config, std::string& out) {
    config.custom_fields.append_record(record, out);
  }
};

}  // namespace

GIBBON_PLUGIN("http-log", Handler, Config, http_log_schema)
