#include <algorithm>
#include <string>

#include "gibbon/plugin.hpp"

/// Changes the upstream's answer in the response phase, where all of it is there and nothing was sent.
namespace {

using namespace gibbon;

Schema kit_held_schema() {
  return fields::record({
      {"wait", fields::boolean().default_value(false)},
      {"action", fields::string().default_value("upper").one_of({"upper", "exit", "status", "nothing", "error"})},
  });
}

struct Config {
  explicit Config(const ConfigView& view) : wait(view.boolean("wait")), action(view.string("action")) {}
  bool wait;
  std::string action;
};

struct Handler {
  static constexpr int PRIORITY = 600;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;

  static Task<> response(Exchange& exchange, const Config& config) {
    if (config.wait) co_await exchange.sleep(std::chrono::milliseconds(5));
    Response& response = exchange.response();
    response.set_header("X-Held-Status", std::to_string(response.status()));
    response.set_header("X-Held-Size", std::to_string(response.body().size()));
    if (config.action == "upper") {
      std::string body(response.body());
      std::transform(body.begin(), body.end(), body.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      response.set_body(body);
    } else if (config.action == "exit") {
      exchange.exit(202, "{\"taken\":true}");
    } else if (config.action == "error") {
      exchange.error(503, "not now");
    } else if (config.action == "status") {
      response.set_status(203);
    }
  }
};

}  // namespace

GIBBON_PLUGIN("kit-held", Handler, Config, kit_held_schema)
