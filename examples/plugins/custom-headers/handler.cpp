#include <string>
#include <utility>
#include <vector>

#include "gibbon/plugin.hpp"

gibbon::Schema custom_headers_schema();

namespace {

struct Config {
  explicit Config(const gibbon::ConfigView& view) : timestamp(view.string("timestamp")) {
    const auto values = view.record("headers");
    for (const std::string& name : view.keys("headers")) headers.emplace_back(name, values->string(name));
  }
  std::vector<std::pair<std::string, std::string>> headers;
  std::string timestamp;
};

struct Handler {
  static constexpr int PRIORITY = 800;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = gibbon::FailurePolicy::kOpen;

  static void header_filter(gibbon::Exchange& exchange, const Config& config) {
    for (const auto& [name, value] : config.headers) exchange.response().set_header(name, value);
    if (!config.timestamp.empty())
      exchange.response().set_header(config.timestamp, std::to_string(exchange.node().now_ms() / 1000));
  }
};

}  // namespace

GIBBON_PLUGIN("custom-headers", Handler, Config, custom_headers_schema)
