#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The half of a logging plugin that runs in the agent: it turns a record into an entry and says where it goes.
namespace gibbon {

struct Header {
  std::string_view name;  ///< As it crossed the wire.
  std::string_view value;
};

/// A body as it was captured.
struct CapturedBody {
  std::string_view bytes;      ///< The first bytes, at most the plugin's limit.
  std::uint64_t size = 0;      ///< The true size in bytes, of which `bytes` is the beginning.
  bool recorded = false;       ///< The plugin asked for the body. Where not, `bytes` is empty and means nothing.
  [[nodiscard]] bool truncated() const { return recorded && bytes.size() < size; }
};

/// One finished exchange, with secrets already redacted. Views live as long as the record itself: one call.
struct ExchangeRecord {
  double id = 0;                   ///< Milliseconds since the epoch; unique within a gateway (1/4096 ms steps).
  std::string_view entry_id;       ///< A UUIDv7 made from the request's id: the same each time a record is read.
  std::string_view request_id;     ///< As in X-Kong-Request-Id: 32 hexadecimal digits.
  std::uint64_t started_us = 0;    ///< When the request began, microseconds since the epoch.
  std::string_view method, scheme, host, target, client_ip, protocol;  ///< protocol: "HTTP/1.1"
  std::uint16_t port = 0;          ///< Where the client connected to.
  std::span<const Header> request_headers, response_headers;
  CapturedBody request_body, response_body;
  std::uint16_t status = 0;
  std::string_view service_id, route_id, service_name, route_name;  ///< Empty where nothing matched.
  std::string_view consumer_id, consumer_username;  ///< Empty where the request was not authenticated.
  std::string_view upstream;       ///< "address:port" of the last peer tried; empty where none was.
  /// Milliseconds; -1 where it did not come to that.
  std::int32_t duration_ms = -1, gateway_ms = -1, upstream_ms = -1, upstream_connect_ms = -1, upstream_header_ms = -1;
  std::uint32_t tries = 0;
};

/// Where a plugin's entries go. Entries of equal destinations share connections and a queue. References to vaults
/// ("{vault://...}") in the URL and in headers' values are replaced when something is sent, and stay on disk as they are.
struct Destination {
  std::string url;                 ///< http or https; userinfo becomes Basic authorization.
  std::uint32_t timeout_ms = 10000;
  std::uint32_t keepalive_ms = 60000;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;  ///< Sent with each request, beside the sender's own.
};

}  // namespace gibbon
