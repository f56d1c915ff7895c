#include <optional>
#include <string>
#include <string_view>

#include "echo.hpp"
#include "gibbon/json.hpp"
#include "gibbon/plugin.hpp"

gibbon::Schema request_termination_schema();

namespace {

using namespace gibbon;

/// What is said where the configuration says nothing; empty for any other status.
std::string_view default_message(int status) {
  switch (status) {
    case 401: return "Unauthorized";
    case 404: return "Not found";
    case 405: return "Method not allowed";
    case 500: return "An unexpected error occurred";
    case 502: return "Bad Gateway";
    case 503: return "Service unavailable";
    default: return {};
  }
}

struct Config {
  explicit Config(const ConfigView& view)
      : status(static_cast<int>(view.integer("status_code", 503))),
        has_message(!view.is_null("message")),
        has_body(!view.is_null("body")),
        message(has_message ? view.string("message") : std::string(default_message(status))),
        content_type(view.string("content_type")),
        body(view.string("body")),
        trigger(view.string("trigger")),
        echo(view.boolean("echo")) {}

  int status;
  bool has_message, has_body;
  std::string message, content_type, body, trigger;
  bool echo;
};

/// What gRPC calls a status of HTTP.
int grpc_status(int status) {
  switch (status) {
    case 401: return 16;
    case 403: return 7;
    case 404: return 5;
    case 409: return 6;
    case 429: return 8;
    case 499: return 1;
    case 501: return 12;
    case 503: return 14;
    case 504: return 4;
    default: break;
  }
  if (status >= 500) return 13;
  if (status >= 400) return 3;
  return status >= 200 && status <= 299 ? 0 : 2;
}

bool speaks_grpc(const Request& request) {
  return request.protocol() == "HTTP/2.0" && request.header("content-type").starts_with("application/grpc");
}

/// An answer without a body, whose message is a header.
void exit_grpc(Exchange& exchange, int status, const std::string& message) {
  exchange.response().set_header("grpc-status", std::to_string(grpc_status(status)));
  if (!message.empty()) exchange.response().set_header("grpc-message", message);
  exchange.exit(status);
}

std::string message_body(std::string_view message) {
  std::string json = R"({"message":)";
  append_json_string(json, message);
  return json + "}";
}

/// What access leaves for header_filter.
struct Kept {
  bool has_no_type = false;  ///< The answer is a body of which nobody has said what it is.
};

struct Handler {
  static constexpr int PRIORITY = 2;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;

  static void access(Exchange& exchange, const Config& config) {
    if (!config.trigger.empty() && !request_termination::has_trigger(exchange, config.trigger)) return;
    if (speaks_grpc(exchange.request()) && !config.content_type.starts_with("application/grpc")) {
      exit_grpc(exchange, config.status, config.has_body && !config.echo ? config.body : config.message);
    } else if (config.echo) {
      exchange.exit(config.status, request_termination::echo(exchange, config.message));
    } else if (config.has_body) {
      exchange.ctx().plugin<Kept>().has_no_type = config.content_type.empty();
      exchange.exit(config.status, config.body, config.content_type);
    } else if (config.has_message || !config.message.empty()) {
      exchange.exit(config.status, message_body(config.message));
    } else {
      exchange.exit(config.status);
    }
  }

  static void header_filter(Exchange& exchange, const Config&) {
    const Kept* kept = exchange.ctx().find_plugin<Kept>();
    if (kept != nullptr && kept->has_no_type) exchange.response().clear_header("Content-Type");
  }

  static bool reads_body(const Config& config) { return config.echo; }
};

}  // namespace

GIBBON_PLUGIN("request-termination", Handler, Config, request_termination_schema)
