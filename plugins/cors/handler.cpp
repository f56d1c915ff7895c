#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "gibbon/plugin.hpp"
#include "origins.hpp"

gibbon::Schema cors_schema();

namespace {

using namespace gibbon;

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (std::size_t i = 0; i < list.size(); ++i) text.append(i == 0 ? "" : ",").append(list[i]);
  return text;
}

/// As Lua writes a number: 3600, 0.5.
std::string number_text(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.14g", value);
  return text.data();
}

struct Config {
  explicit Config(const ConfigView& view)
      : origins(view.strings("origins")),
        headers(joined(view.strings("headers"))),
        exposed_headers(joined(view.strings("exposed_headers"))),
        methods(view.is_null("methods") ? "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT"
                                        : joined(view.strings("methods"))),
        max_age(view.is_null("max_age") ? "" : number_text(view.number("max_age"))),
        credentials(view.boolean("credentials")),
        private_network(view.boolean("private_network")),
        preflight_continue(view.boolean("preflight_continue")),
        allow_origin_absent(view.boolean("allow_origin_absent", true)) {}

  cors::Origins origins;
  std::string headers, exposed_headers, methods, max_age;
  bool credentials, private_network, preflight_continue, allow_origin_absent;
};

/// What access leaves for header_filter.
struct Kept {
  bool is_preflight = false;
};

/// Beside the Vary headers of the upstream, where it has answered.
void add_vary(Exchange& exchange) {
  if (exchange.phase() == Phase::kHeaderFilter) {
    exchange.response().add_header("vary", "Origin");
  } else {
    exchange.response().set_header("vary", "Origin");
  }
}

void set_origin(Exchange& exchange, const Config& config, std::string_view origin) {
  Response& response = exchange.response();
  if (!config.origins.any()) add_vary(exchange);
  const cors::Origins::Verdict verdict = config.origins.judge(origin);
  if (verdict.allowed.empty()) {
    response.clear_header("Access-Control-Allow-Origin");
  } else {
    response.set_header("Access-Control-Allow-Origin", verdict.allowed);
  }
  if (!config.credentials) return;
  if (verdict.everyone) {  // No credentials go with '*': whoever asks is named instead.
    if (origin.empty()) return;
    add_vary(exchange);
    response.set_header("Access-Control-Allow-Origin", origin);
  }
  response.set_header("Access-Control-Allow-Credentials", "true");
}

void answer_preflight(Exchange& exchange, const Config& config, std::string_view origin) {
  const Request& request = exchange.request();
  Response& response = exchange.response();
  set_origin(exchange, config, origin);
  const Parameter asked = request.find_header("access-control-request-headers");
  if (!config.headers.empty()) {
    response.set_header("Access-Control-Allow-Headers", config.headers);
  } else if (asked.kind != Parameter::Kind::kMissing) {
    response.set_header("Access-Control-Allow-Headers", request.header("access-control-request-headers"));
  } else {
    response.clear_header("Access-Control-Allow-Headers");
  }
  response.set_header("Access-Control-Allow-Methods", config.methods);
  if (!config.max_age.empty()) response.set_header("Access-Control-Max-Age", config.max_age);
  if (config.private_network && request.header("access-control-request-private-network") == "true")
    response.set_header("Access-Control-Allow-Private-Network", "true");
  exchange.exit(200);
}

struct Handler {
  static constexpr int PRIORITY = 2000;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;

  static void access(Exchange& exchange, const Config& config) {
    const Request& request = exchange.request();
    const std::string_view origin = request.header("origin");
    if (request.method() != "OPTIONS" || origin.empty() ||
        request.find_header("access-control-request-method").kind == Parameter::Kind::kMissing)
      return;
    exchange.ctx().plugin<Kept>().is_preflight = true;
    if (!config.preflight_continue) answer_preflight(exchange, config, origin);
  }

  static void header_filter(Exchange& exchange, const Config& config) {
    const Kept* kept = exchange.ctx().find_plugin<Kept>();
    if (kept != nullptr && kept->is_preflight) return;
    const std::string_view origin = exchange.request().header("origin");
    if (origin.empty() && !config.allow_origin_absent) return;
    set_origin(exchange, config, origin);
    if (!config.exposed_headers.empty())
      exchange.response().set_header("Access-Control-Expose-Headers", config.exposed_headers);
  }
};

}  // namespace

GIBBON_PLUGIN("cors", Handler, Config, cors_schema)
