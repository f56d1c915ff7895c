#pragma once

#include <stdexcept>
#include <string>

#include "gibbon/plugin.hpp"

/// What plugin authors do wrong, on request: in the phase that the configuration names.
namespace mistakes {

using namespace gibbon;

inline Schema schema() {
  return fields::record({
      {"phase", fields::string().required()},
      {"mistake", fields::string().required().one_of(
                      {"throw", "throw_int", "wait", "throw_late", "answer_twice", "answer", "replace_twice", "set_twice"})},
  });
}

struct Config {
  explicit Config(const ConfigView& view) : phase(view.string("phase")), mistake(view.string("mistake")) {}
  std::string phase, mistake;
};

template <FailurePolicy policy>
struct Handler {
  static constexpr int PRIORITY = 700;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = policy;

  static bool here(const Config& config, Phase phase) { return config.phase == phase_name(phase); }

  static void make(Exchange& exchange, const Config& config) {
    if (config.mistake == "throw") throw std::runtime_error("the author's mistake");
    if (config.mistake == "throw_int") throw 42;
    if (config.mistake == "answer") exchange.exit(418, "teapot", "text/plain");
    if (config.mistake == "answer_twice") {
      exchange.exit(418, exchange.phase() == Phase::kHeaderFilter ? "" : "teapot", "text/plain");
      exchange.exit(419);
    }
    if (config.mistake == "set_twice") {
      exchange.response().set_body("first");
      exchange.response().set_body("second");
    }
  }

  static Task<> make_late(Exchange& exchange, const Config& config, Phase phase) {
    if (!here(config, phase)) co_return;
    if (config.mistake == "wait") co_await exchange.sleep(std::chrono::hours(1));
    if (config.mistake == "throw_late") {
      co_await exchange.sleep(std::chrono::milliseconds(1));
      throw std::runtime_error("the author's late mistake");
    }
    make(exchange, config);
  }

  static void certificate(Handshake&, const Config& config) {
    if (here(config, Phase::kCertificate)) throw std::runtime_error("the author's mistake");
  }
  static Task<> rewrite(Exchange& e, const Config& c) { return make_late(e, c, Phase::kRewrite); }
  static Task<> access(Exchange& e, const Config& c) { return make_late(e, c, Phase::kAccess); }
  static void log(Exchange& e, const Config& c) {
    if (here(c, Phase::kLog)) make(e, c);
  }
};

/// The same with the phases that see the answer go by.
template <FailurePolicy policy>
struct FilterHandler : Handler<policy> {
  static void header_filter(Exchange& e, const Config& c) {
    if (c.phase == "body_filter") e.response().clear_header("content-length");
    if (Handler<policy>::here(c, Phase::kHeaderFilter)) Handler<policy>::make(e, c);
  }
  static void body_filter(Exchange& e, BodyChunk& chunk, const Config& c) {
    if (!Handler<policy>::here(c, Phase::kBodyFilter)) return;
    if (c.mistake == "replace_twice") {
      chunk.replace("first");
      chunk.replace("second");
    }
    Handler<policy>::make(e, c);
  }
};

/// The same with the phase that holds the answer.
template <FailurePolicy policy>
struct ResponseHandler : Handler<policy> {
  static Task<> response(Exchange& e, const Config& c) { return Handler<policy>::make_late(e, c, Phase::kResponse); }
};

}  // namespace mistakes
