#include <algorithm>
#include <string>

#include "gibbon/plugin.hpp"

/// Changes the answer's body piece by piece as it goes by, or in one piece.
namespace {

using namespace gibbon;

Schema kit_pieces_schema() {
  return fields::record({
      {"hold", fields::boolean().default_value(false)},
      {"action", fields::string().default_value("upper").one_of({"upper", "empty", "append"})},
  });
}

struct Config {
  explicit Config(const ConfigView& view) : hold(view.boolean("hold")), action(view.string("action")) {}
  bool hold;
  std::string action;
};

struct Pieces {
  int count = 0;
};

struct Handler {
  static constexpr int PRIORITY = 601;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;

  static void header_filter(Exchange& exchange, const Config& config) {
    exchange.response().clear_header("content-length");
    if (config.hold) exchange.response().hold_body();
  }
  static void body_filter(Exchange& exchange, BodyChunk& chunk, const Config& config) {
    const int number = ++exchange.ctx().plugin<Pieces>().count;
    std::string bytes(chunk.bytes);
    if (config.action == "upper") {
      std::transform(bytes.begin(), bytes.end(), bytes.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      chunk.replace(bytes);
    } else if (config.action == "empty") {
      chunk.replace("");
    } else if (chunk.last) {
      chunk.replace(bytes + "[end of " + std::to_string(number) + "]");
    }
  }
};

}  // namespace

GIBBON_PLUGIN("kit-pieces", Handler, Config, kit_pieces_schema)
