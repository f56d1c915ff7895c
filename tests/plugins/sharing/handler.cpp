#include "gibbon/plugin.hpp"

/// Shares a text with the plugins that follow, and a number, which is no text.
namespace {

using namespace gibbon;

Schema sharing_schema() { return fields::record({{"tenant", fields::string().required()}}); }

struct Config {
  explicit Config(const ConfigView& view) : tenant(view.string("tenant")) {}
  std::string tenant;
};

struct Handler {
  static constexpr int PRIORITY = 900;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;
  static void access(Exchange& exchange, const Config& config) {
    exchange.ctx().shared<std::string>("tenant") = config.tenant;
    exchange.ctx().shared<int>("number") = 5;
  }
};

}  // namespace

GIBBON_PLUGIN("sharing", Handler, Config, sharing_schema)
