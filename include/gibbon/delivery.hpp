#pragma once

#include <cstdint>
#include <optional>
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

/// A peer that an exchange was sent to.
struct Try {
  std::uint64_t started_ns = 0;  ///< When the balancer began to look for it, nanoseconds since the epoch.
  std::uint64_t latency_ns = 0;  ///< How long it looked.
  std::string_view ip;           ///< Or "unix:/path".
  std::uint16_t port = 0;
  /// What became of it, where another peer was asked after it or the gateway answers in its place: kFailed without an
  /// answer, kNext with one that another peer was to better; `code` is the status, 502 or 504 where there was none.
  enum class State : std::uint8_t { kAnswered, kFailed, kNext } state = State::kAnswered;
  std::uint16_t code = 0;
};

/// A field that a plugin sets in what is recorded: Exchange::set_serialize_value().
struct SerializeValue {
  std::string_view path;  ///< Dotted; "\\." is a dot of a name.
  std::string_view json;  ///< Empty: the field is taken out.
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

  // What Kong's own record has beside these: see log_record.hpp.
  std::string_view upstream_uri;     ///< Path and query as they were sent; empty where nothing was.
  std::string_view upstream_status;  ///< As nginx's $upstream_status: "200", "502, 200".
  std::string_view tls_version, tls_cipher, tls_client_verify;  ///< "TLSv1.3"; empty without TLS.
  /// Whom the credential that the request was authenticated with belongs to; empty where there was none.
  std::string_view credential_id, credential_consumer_id;
  std::uint64_t request_bytes = 0, response_bytes = 0;  ///< On the wire, with their heads.
  std::int32_t receive_ms = -1;      ///< From the beginning of the upstream's answer to its end; -1: there was none.
  enum class Source : std::uint8_t { kError, kExit, kUpstream } source = Source::kError;  ///< Who answered.
  std::span<const Try> tried;        ///< In their order; the first 16 at most.
  std::span<const SerializeValue> serialize_values;  ///< In the order in which they were set.
  /// The entities as the Admin API shows them, without null members: JSON objects, as of the generation that the request
  /// began with. Empty where nothing matched, or where that generation is gone.
  std::string_view service_json, route_json, consumer_json;
};

/// How a destination's entries wait: the fields, types and defaults of Kong's queues, in seconds. What Kong would drop,
/// since the queue is full or max_retry_time is over, waits in the spool.
struct Queue {
  std::uint32_t max_batch_size = 1;       ///< 1: an entry is sent as it is; more: as an array.
  double max_coalescing_delay = 1;        ///< How long a batch waits for more entries.
  std::uint32_t max_entries = 10000;      ///< In memory.
  std::optional<std::uint64_t> max_bytes{};
  double max_retry_time = 60;             ///< How long an entry is tried that the endpoint refuses for good.
  double initial_retry_delay = 0.01, max_retry_delay = 60;
  std::int32_t concurrency_limit = 1;     ///< Sends at a time; -1: any number, each of one entry.
};

/// Where a plugin's entries go. Entries of equal destinations share connections and a queue. References to vaults
/// ("{vault://...}") in the URL and in headers' values are replaced when something is sent, and stay on disk as they are.
struct Destination {
  enum class Kind : std::uint8_t {
    kHttp,
    kFile,  ///< Each entry is a line that is appended.
  } kind = Kind::kHttp;
  std::string url;                 ///< http or https; userinfo becomes Basic authorization. kFile: the file's path.
  std::uint32_t timeout_ms = 10000;
  std::uint32_t keepalive_ms = 60000;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;  ///< Sent with each request, beside the sender's own.
  std::string method = "POST";
  bool ssl_verify = true;
  bool reopen = false;             ///< kFile: the file is opened for each write. It is made (0644) where it is missing.
  /// Without: entries are sent at once and in parallel, in batches where the endpoint's answers carry Accept-Post:
  /// application/x-ndjson; each failure is tried again after at most 5 seconds.
  std::optional<Queue> queue{};
};

}  // namespace gibbon
