#include <optional>
#include <string>

#include "addresses.hpp"
#include "gibbon/plugin.hpp"

gibbon::Schema ip_restriction_schema();

namespace {

using namespace gibbon;

struct Config {
  explicit Config(const ConfigView& view)
      : allow(view.strings("allow")),
        deny(view.strings("deny")),
        status(static_cast<int>(view.integer("status", 403))),
        has_message(!view.is_null("message")),
        message(view.string("message")) {}

  ip_restriction::Ranges allow, deny;
  int status;
  bool has_message;
  std::string message;
};

void refuse(Exchange& exchange, int status, const std::string& message) {
  exchange.log().warn(message);
  exchange.error(status, message);
}

struct Handler {
  static constexpr int PRIORITY = 990;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;

  static void access(Exchange& exchange, const Config& config) {
    const std::string_view ip = exchange.client().ip();
    const std::optional<ip_restriction::Address> address = ip_restriction::parse_address(ip);
    if (!address)
      return refuse(exchange, 403,
                    "Cannot identify the client IP address, unix domain sockets are not supported.");
    if (!config.deny.hold(*address) && (config.allow.empty() || config.allow.hold(*address))) return;
    refuse(exchange, config.status,
           config.has_message ? config.message : "IP address not allowed: " + std::string(ip));
  }
};

}  // namespace

GIBBON_PLUGIN("ip-restriction", Handler, Config, ip_restriction_schema)
