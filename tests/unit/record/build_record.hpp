#pragma once

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "record/record.hpp"

namespace gibbon::testing {

/// An exchange to be written as a record; what a test does not set is plausible.
struct SampleExchange {
  std::uint64_t generation = 1;
  std::array<std::uint8_t, 16> plugin_id{};
  std::array<std::uint8_t, 16> request_id{};
  std::uint64_t id_ticks = 1753298422993ull * 4096 + 1136;
  std::uint64_t started_us = 1753298422993277ull;
  std::string method = "POST", scheme = "http", host = "localhost", target = "/httpbin/post?a=1",
              client_ip = "127.0.0.1", protocol = "HTTP/1.1", service_id, route_id, service_name, route_name,
              upstream = "127.0.0.1:8080", consumer_id, consumer_username, upstream_uri, upstream_status, tls_version,
              tls_cipher, tls_client_verify, credential_id, credential_consumer_id;
  std::uint16_t port = 8000, status = 200;
  std::uint32_t tries = 1;
  std::int32_t duration_ms = 12, gateway_ms = 2, upstream_ms = 10;
  std::vector<std::pair<std::string, std::string>> request_headers, response_headers, serialize_values;
  std::vector<Try> tried;
  std::uint64_t request_bytes = 0, response_bytes = 0;
  std::int32_t receive_ms = -1;
  ExchangeRecord::Source source = ExchangeRecord::Source::kUpstream;
  std::string request_body, response_body;
  std::uint64_t request_body_size = 0, response_body_size = 0;  ///< 0: as captured.
  bool request_body_recorded = true, response_body_recorded = true;
};

/// The record's bytes behind an empty RecordHead.
inline std::string record_bytes(const SampleExchange& e) {
  record::ExchangeHead head{};
  head.generation = e.generation;
  std::memcpy(head.plugin_id, e.plugin_id.data(), 16);
  std::memcpy(head.request_id, e.request_id.data(), 16);
  head.id_ticks = e.id_ticks;
  head.started_us = e.started_us;
  head.duration_ms = e.duration_ms;
  head.gateway_ms = e.gateway_ms;
  head.upstream_ms = e.upstream_ms;
  head.upstream_connect_ms = head.upstream_header_ms = -1;
  head.tries = e.tries;
  head.request_bytes = e.request_bytes;
  head.response_bytes = e.response_bytes;
  head.receive_ms = e.receive_ms;
  head.source = static_cast<std::uint32_t>(e.source);
  head.status = e.status;
  head.port = e.port;
  const std::string* strings[record::kStringCount] = {&e.method,     &e.scheme,       &e.host,       &e.target,
                                                      &e.client_ip,  &e.protocol,     &e.service_id, &e.route_id,
                                                      &e.service_name, &e.route_name, &e.upstream,
                                                      &e.consumer_id, &e.consumer_username, &e.upstream_uri, &e.upstream_status,
                                                      &e.tls_version, &e.tls_cipher, &e.tls_client_verify,
                                                      &e.credential_id, &e.credential_consumer_id};
  std::string tail;
  for (std::uint32_t i = 0; i < record::kStringCount; ++i) {
    head.string_length[i] = static_cast<std::uint32_t>(strings[i]->size());
    tail += *strings[i];
  }
  auto add_headers = [&](const auto& headers, std::uint32_t* count, std::uint32_t* bytes) {
    const std::size_t before = tail.size();
    for (const auto& [name, value] : headers) {
      const std::uint32_t lengths[2] = {static_cast<std::uint32_t>(name.size()),
                                        static_cast<std::uint32_t>(value.size())};
      tail.append(reinterpret_cast<const char*>(lengths), sizeof lengths);
      tail += name + value;
    }
    *count = static_cast<std::uint32_t>(headers.size());
    *bytes = static_cast<std::uint32_t>(tail.size() - before);
  };
  add_headers(e.request_headers, &head.request_header_count, &head.request_headers_bytes);
  add_headers(e.response_headers, &head.response_header_count, &head.response_headers_bytes);
  add_headers(e.serialize_values, &head.value_count, &head.values_bytes);
  for (const Try& t : e.tried) {
    const record::TryHead try_head{t.started_ns, t.latency_ns, static_cast<std::uint32_t>(t.ip.size()), t.port, t.code,
                                   static_cast<std::uint32_t>(t.state)};
    tail.append(reinterpret_cast<const char*>(&try_head), sizeof try_head).append(t.ip);
    ++head.try_count;
    head.tries_bytes += static_cast<std::uint32_t>(sizeof try_head + t.ip.size());
  }
  auto add_body = [&](const std::string& body, std::uint64_t size, bool recorded, record::BodyHead* out) {
    out->captured = static_cast<std::uint32_t>(body.size());
    out->size = size != 0 ? size : body.size();
    out->recorded = recorded ? 1 : 0;
    tail += body;
  };
  add_body(e.request_body, e.request_body_size, e.request_body_recorded, &head.request_body);
  add_body(e.response_body, e.response_body_size, e.response_body_recorded, &head.response_body);
  return std::string(reinterpret_cast<const char*>(&head), sizeof head) + tail;
}

/// Writes an entry of a plugin's own into the ring; false where it did not fit.
inline bool push_entry(record::RingProducer& producer, const SampleExchange& e, const std::string& entry) {
  record::QueueHead head{};
  head.generation = e.generation;
  std::memcpy(head.plugin_id, e.plugin_id.data(), 16);
  std::memcpy(head.request_id, e.request_id.data(), 16);
  head.id_ticks = e.id_ticks;
  head.length = static_cast<std::uint32_t>(entry.size());
  std::byte* to = producer.reserve(sizeof head + entry.size(), record::kQueueRecord);
  if (to == nullptr) return false;
  std::memcpy(&head.head, to, sizeof head.head);
  std::memcpy(to, &head, sizeof head);
  std::memcpy(to + sizeof head, entry.data(), entry.size());
  producer.commit();
  return true;
}

/// Writes the exchange into the ring; false where it did not fit.
inline bool push(record::RingProducer& producer, const SampleExchange& exchange) {
  const std::string bytes = record_bytes(exchange);
  std::byte* to = producer.reserve(bytes.size(), record::kExchangeRecord);
  if (to == nullptr) return false;
  std::memcpy(to + sizeof(record::RecordHead), bytes.data() + sizeof(record::RecordHead),
              bytes.size() - sizeof(record::RecordHead));
  producer.commit();
  return true;
}

}  // namespace gibbon::testing
