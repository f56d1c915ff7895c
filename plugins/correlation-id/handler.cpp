#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

#include "gibbon/json.hpp"
#include "gibbon/plugin.hpp"

gibbon::Schema correlation_id_schema();

namespace {

using namespace gibbon;

/// A random UUID (RFC 9562, version 4).
std::string make_uuid() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw std::runtime_error("no random bytes");
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += "0123456789abcdef"[bytes[i] >> 4];
    text += "0123456789abcdef"[bytes[i] & 15];
  }
  return text;
}

/// The worker's own UUID, and how many ids it has made: "…#1".
std::string count_on() {
  static const std::string worker = make_uuid();
  static std::uint64_t counter = 0;
  return worker + "#" + std::to_string(++counter);
}

/// Address and port of the gateway, the worker, the connection, its requests so far, and the time in seconds.
std::string track(Exchange& exchange) {
  const Request& request = exchange.request();
  const ConnectionView connection = request.connection();
  const std::int64_t now = exchange.node().now_ms();
  std::array<char, 32> time{};
  std::snprintf(time.data(), time.size(), "%lld.%03lld", static_cast<long long>(now / 1000),
                static_cast<long long>(now % 1000));
  return std::string(connection.server_address) + "-" + std::to_string(request.port()) + "-" +
         std::to_string(getpid()) + "-" + std::to_string(connection.number) + "-" +
         std::to_string(connection.requests) + "-" + time.data();
}

struct Config {
  explicit Config(const ConfigView& view)
      : header_name(view.string("header_name", "Kong-Request-ID")),
        generator(view.string("generator", "uuid#counter")),
        echo_downstream(view.boolean("echo_downstream")) {}

  std::string header_name, generator;
  bool echo_downstream;
};

std::string generate(Exchange& exchange, const Config& config) {
  if (config.generator == "uuid") return make_uuid();
  return config.generator == "tracker" ? track(exchange) : count_on();
}

/// What access leaves for header_filter.
struct Kept {
  std::string id;
};

struct Handler {
  static constexpr int PRIORITY = 100001;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;

  static void access(Exchange& exchange, const Config& config) {
    ServiceRequest& request = exchange.service_request();
    std::string id(request.header(config.header_name));
    if (id.empty()) {
      id = generate(exchange, config);
      request.set_header(config.header_name, id);
    }
    std::string json;
    append_json_string(json, id);
    exchange.set_serialize_value("correlation_id", json);
    if (config.echo_downstream) exchange.ctx().plugin<Kept>().id = std::move(id);
  }

  /// Where the request was answered before access, it gets its id here.
  static void header_filter(Exchange& exchange, const Config& config) {
    if (!config.echo_downstream) return;
    const Kept* kept = exchange.ctx().find_plugin<Kept>();
    std::string id = kept != nullptr ? kept->id : std::string(exchange.service_request().header(config.header_name));
    if (id.empty()) id = generate(exchange, config);
    exchange.response().set_header(config.header_name, id);
  }
};

}  // namespace

GIBBON_PLUGIN("correlation-id", Handler, Config, correlation_id_schema)
