#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "gibbon/delivery.hpp"
#include "record/ring.hpp"

/// A finished exchange as bytes in a ring: `ExchangeHead`, then the strings in the order of `kStrings`, then the
/// request's headers, the response's headers, the serialize values, the tries, the request's body and the response's
/// body, without any padding between. A header is two 32-bit lengths (name, value), then the name and the value; so is a
/// serialize value (path, JSON). A try is a `TryHead`, then its address. Nothing is encoded and nothing is redacted yet:
/// that is the agent's work, before anything leaves shared memory.
///
/// An entry that a plugin made itself is a `QueueHead`, then the entry.
namespace gibbon::record {

inline constexpr std::uint32_t kExchangeRecord = 1;
inline constexpr std::uint32_t kQueueRecord = 2;

enum StringField : std::uint32_t {
  kMethod, kScheme, kHost, kTarget, kClientIp, kProtocol, kServiceId, kRouteId, kServiceName, kRouteName, kUpstream,
  kConsumerId, kConsumerUsername, kUpstreamUri, kUpstreamStatus, kTlsVersion, kTlsCipher, kTlsClientVerify,
  kCredentialId, kCredentialConsumerId,
  kStringCount
};

struct BodyHead {
  std::uint64_t size = 0;      ///< True size in bytes.
  std::uint32_t captured = 0;  ///< Bytes in the record.
  std::uint32_t recorded = 0;  ///< 1: the plugin asked for this body.
};

inline constexpr std::size_t kMaxTries = 16;

struct TryHead {
  std::uint64_t started_ns, latency_ns;
  std::uint32_t ip_length;
  std::uint16_t port, code;
  std::uint32_t state;  ///< Try::State
  std::uint32_t unused = 0;
};

struct ExchangeHead {
  RecordHead head;
  std::uint64_t generation;      ///< Of the snapshot that the plugin's configuration came from.
  std::uint8_t plugin_id[16];    ///< The plugin entity's UUID.
  std::uint8_t request_id[16];
  std::uint64_t id_ticks;        ///< Milliseconds since the epoch times 4096, unique in a gateway.
  std::uint64_t started_us;      ///< Microseconds since the epoch.
  std::uint64_t request_bytes, response_bytes;
  std::int32_t duration_ms, gateway_ms, upstream_ms, upstream_connect_ms, upstream_header_ms, receive_ms;
  std::uint32_t tries;
  std::uint32_t source;          ///< ExchangeRecord::Source
  std::uint16_t status, port;
  std::uint32_t request_header_count, response_header_count;
  std::uint32_t request_headers_bytes, response_headers_bytes;
  std::uint32_t value_count, values_bytes;
  std::uint32_t try_count, tries_bytes;
  std::uint32_t string_length[kStringCount];
  std::uint32_t unused = 0;
  BodyHead request_body, response_body;
};

struct QueueHead {
  RecordHead head;
  std::uint64_t generation;
  std::uint8_t plugin_id[16];
  std::uint8_t request_id[16];
  std::uint64_t id_ticks;
  std::uint32_t length;          ///< Of the entry.
  std::uint32_t unused = 0;
};

/// A kQueueRecord taken apart. `entry` points into the ring.
struct QueuedEntry {
  QueueHead head{};
  std::string_view entry;
  std::array<std::uint8_t, 16> entry_uuid{};

  /// Errors: a damaged record.
  Status parse(std::span<const std::byte> bytes);
};

/// The type of a record; 0 where it is too short to have one.
std::uint32_t type_of(std::span<const std::byte> bytes);

/// A record taken apart. The views in `exchange` point into the ring, and into this object for headers and ids.
/// Reusable: parse() again overwrites. Threads: one.
class ParsedRecord {
 public:
  ParsedRecord() = default;
  ParsedRecord(const ParsedRecord&) = delete;
  ParsedRecord& operator=(const ParsedRecord&) = delete;

  /// Checks every length against `bytes`. Errors: a damaged record.
  Status parse(std::span<const std::byte> bytes);

  [[nodiscard]] const ExchangeHead& head() const { return head_; }
  [[nodiscard]] const ExchangeRecord& exchange() const { return exchange_; }
  /// For redaction: the values may be replaced by views of longer life.
  [[nodiscard]] std::vector<Header>& request_headers() { return request_headers_; }
  [[nodiscard]] std::vector<Header>& response_headers() { return response_headers_; }
  void replace_target(std::string_view target) { exchange_.target = target; }
  /// Drops the serialize values that `keep` does not want.
  template <typename Keep>
  void keep_serialize_values(Keep keep) {
    std::erase_if(serialize_values_, [&](const SerializeValue& value) { return !keep(value); });
    exchange_.serialize_values = serialize_values_;
  }
  /// JSON objects that live as long as the record is used.
  void set_entities(std::string_view service, std::string_view route, std::string_view consumer) {
    exchange_.service_json = service;
    exchange_.route_json = route;
    exchange_.consumer_json = consumer;
  }
  /// The entry's UUID in binary: exchange().entry_id is its text.
  [[nodiscard]] const std::array<std::uint8_t, 16>& entry_uuid() const { return entry_uuid_; }

 private:
  ExchangeHead head_{};
  ExchangeRecord exchange_;
  std::vector<Header> request_headers_, response_headers_, values_as_headers_;
  std::vector<SerializeValue> serialize_values_;
  std::vector<Try> tried_;
  std::array<std::uint8_t, 16> entry_uuid_{};
  char entry_id_[36], request_id_[32];
};

}  // namespace gibbon::record
