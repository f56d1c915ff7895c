#include "record/record.hpp"

#include <cstring>

namespace gibbon::record {
namespace {

constexpr char kHex[] = "0123456789abcdef";

/// Takes a record's bytes one piece after the other, never beyond its end.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool take(std::uint64_t size, std::string_view* piece) {
    if (size > static_cast<std::uint64_t>(end_ - at_)) return false;
    *piece = {reinterpret_cast<const char*>(at_), static_cast<std::size_t>(size)};
    at_ += size;
    return true;
  }

  bool take_headers(std::uint32_t count, std::uint32_t bytes, std::vector<Header>* headers) {
    std::string_view block;
    headers->clear();
    if (!take(bytes, &block) || std::uint64_t{count} * 8 > bytes) return false;
    headers->reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      std::uint32_t lengths[2];
      if (block.size() < sizeof lengths) return false;
      std::memcpy(lengths, block.data(), sizeof lengths);
      block.remove_prefix(sizeof lengths);
      if (std::uint64_t{lengths[0]} + lengths[1] > block.size()) return false;
      headers->push_back({block.substr(0, lengths[0]), block.substr(lengths[0], lengths[1])});
      block.remove_prefix(std::size_t{lengths[0]} + lengths[1]);
    }
    return block.empty();
  }

  bool take_tries(std::uint32_t count, std::uint32_t bytes, std::vector<Try>* tries) {
    std::string_view block;
    tries->clear();
    if (count > kMaxTries || !take(bytes, &block)) return false;
    for (std::uint32_t i = 0; i < count; ++i) {
      TryHead head;
      if (block.size() < sizeof head) return false;
      std::memcpy(&head, block.data(), sizeof head);
      block.remove_prefix(sizeof head);
      if (head.ip_length > block.size() || head.state > static_cast<std::uint32_t>(Try::State::kNext)) return false;
      tries->push_back({head.started_ns, head.latency_ns, block.substr(0, head.ip_length), head.port,
                        static_cast<Try::State>(head.state), head.code});
      block.remove_prefix(head.ip_length);
    }
    return block.empty();
  }

  bool take_body(const BodyHead& head, CapturedBody* body) {
    body->size = head.size;
    body->recorded = head.recorded != 0;
    if (head.captured > head.size || !take(head.captured, &body->bytes)) return false;
    if (!body->recorded) body->bytes = {};
    return true;
  }

 private:
  const std::byte* at_;
  const std::byte* end_;
};

std::uint64_t load(const std::uint8_t* bytes) {
  std::uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

/// SplitMix64's finalizer: every bit of the result depends on every bit of `x`.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// RFC 9562, version 7: the milliseconds, their 1/4096 (section 6.2, method 3), and 62 bits that depend on the
/// request and on the plugin, since each plugin that records a request makes an entry of its own.
template <typename Head>
std::array<std::uint8_t, 16> make_uuid(const Head& head) {
  std::uint64_t random = mix(load(head.request_id) + 0x9E3779B97F4A7C15u);
  random = mix(random ^ load(head.request_id + 8));
  random = mix(random ^ load(head.plugin_id));
  random = mix(random ^ load(head.plugin_id + 8));
  const std::uint64_t high = ((head.id_ticks >> 12) << 16) | 0x7000 | (head.id_ticks & 0xFFF);
  const std::uint64_t low = (random & 0x3FFFFFFFFFFFFFFFu) | 0x8000000000000000u;
  std::array<std::uint8_t, 16> uuid;
  for (int i = 0; i < 8; ++i) {
    uuid[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
    uuid[static_cast<std::size_t>(i) + 8] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
  }
  return uuid;
}

void write_hex(const std::uint8_t* bytes, std::size_t count, char* out) {
  for (std::size_t i = 0; i < count; ++i) {
    *out++ = kHex[bytes[i] >> 4];
    *out++ = kHex[bytes[i] & 15];
  }
}

void write_uuid(const std::uint8_t* b, char* out) {
  write_hex(b, 4, out);
  out[8] = '-';
  write_hex(b + 4, 2, out + 9);
  out[13] = '-';
  write_hex(b + 6, 2, out + 14);
  out[18] = '-';
  write_hex(b + 8, 2, out + 19);
  out[23] = '-';
  write_hex(b + 10, 6, out + 24);
}

}  // namespace

std::uint32_t type_of(std::span<const std::byte> bytes) {
  RecordHead head{};
  if (bytes.size() < sizeof head) return 0;
  std::memcpy(&head, bytes.data(), sizeof head);
  return head.type;
}

Status QueuedEntry::parse(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof head) return Error{"an entry is shorter than its head", {}};
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.head.type != kQueueRecord) return Error{"a record is no entry", {}};
  if (head.head.size != bytes.size()) return Error{"an entry's size does not match", {}};
  if (head.length > bytes.size() - sizeof head) return Error{"an entry is damaged", {}};
  entry = {reinterpret_cast<const char*>(bytes.data()) + sizeof head, head.length};
  entry_uuid = make_uuid(head);
  return {};
}

Status ParsedRecord::parse(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(ExchangeHead)) return Error{"a record is shorter than its head", {}};
  std::memcpy(&head_, bytes.data(), sizeof head_);
  if (head_.head.type != kExchangeRecord)
    return Error{"a record of unknown type " + std::to_string(head_.head.type), {}};
  if (head_.head.size != bytes.size()) return Error{"a record's size does not match", {}};

  ExchangeRecord& e = exchange_;
  e = ExchangeRecord{};
  Reader reader(bytes.subspan(sizeof head_));
  std::string_view* const strings[kStringCount] = {
      &e.method,   &e.scheme,     &e.host,         &e.target,     &e.client_ip, &e.protocol,
      &e.service_id, &e.route_id, &e.service_name, &e.route_name, &e.upstream,
      &e.consumer_id, &e.consumer_username, &e.upstream_uri, &e.upstream_status, &e.tls_version, &e.tls_cipher,
      &e.tls_client_verify, &e.credential_id, &e.credential_consumer_id};
  for (std::uint32_t i = 0; i < kStringCount; ++i)
    if (!reader.take(head_.string_length[i], strings[i])) return Error{"a record's strings are damaged", {}};
  if (!reader.take_headers(head_.request_header_count, head_.request_headers_bytes, &request_headers_) ||
      !reader.take_headers(head_.response_header_count, head_.response_headers_bytes, &response_headers_))
    return Error{"a record's headers are damaged", {}};
  if (!reader.take_headers(head_.value_count, head_.values_bytes, &values_as_headers_))
    return Error{"a record's values are damaged", {}};
  if (!reader.take_tries(head_.try_count, head_.tries_bytes, &tried_) ||
      head_.source > static_cast<std::uint32_t>(ExchangeRecord::Source::kUpstream))
    return Error{"a record's tries are damaged", {}};
  if (!reader.take_body(head_.request_body, &e.request_body) ||
      !reader.take_body(head_.response_body, &e.response_body))
    return Error{"a record's bodies are damaged", {}};

  entry_uuid_ = make_uuid(head_);
  write_uuid(entry_uuid_.data(), entry_id_);
  write_hex(head_.request_id, sizeof head_.request_id, request_id_);
  e.id = static_cast<double>(head_.id_ticks) / 4096;
  e.entry_id = {entry_id_, sizeof entry_id_};
  e.request_id = {request_id_, sizeof request_id_};
  e.started_us = head_.started_us;
  e.port = head_.port;
  e.status = head_.status;
  e.request_headers = request_headers_;
  e.response_headers = response_headers_;
  e.duration_ms = head_.duration_ms;
  e.gateway_ms = head_.gateway_ms;
  e.upstream_ms = head_.upstream_ms;
  e.upstream_connect_ms = head_.upstream_connect_ms;
  e.upstream_header_ms = head_.upstream_header_ms;
  e.tries = head_.tries;
  e.request_bytes = head_.request_bytes;
  e.response_bytes = head_.response_bytes;
  e.receive_ms = head_.receive_ms;
  e.source = static_cast<ExchangeRecord::Source>(head_.source);
  serialize_values_.clear();
  for (const Header& value : values_as_headers_) serialize_values_.push_back({value.name, value.value});
  e.serialize_values = serialize_values_;
  e.tried = tried_;
  return {};
}

}  // namespace gibbon::record
