// The hand-over: a finished exchange is copied into the worker's ring. No system call, no lock, no allocation.

#include "record/record.hpp"

#include "gateway/nginx/client_view.hpp"
#include "gateway/nginx/worker.hpp"
#include "gateway/request/arguments.hpp"
#include "record/secret_headers.hpp"

namespace gibbon::nginx {
namespace {

std::string_view recorded_value(const Context& ctx, std::string_view name, std::string_view value) {
  return ctx.is_secret_header(name) ? record::kRedacted : value;
}

/// Header counts and bytes, gathered before the record's size is known.
struct HeaderSizes {
  const Context& ctx;
  std::uint32_t count = 0, bytes = 0;
  void operator()(std::string_view name, std::string_view value) {
    ++count;
    bytes += static_cast<std::uint32_t>(8 + name.size() + recorded_value(ctx, name, value).size());
  }
};

struct Writer {
  const Context& ctx;
  std::byte* p;
  void raw(const void* data, std::size_t n) {
    std::memcpy(p, data, n);
    p += n;
  }
  void raw(std::string_view s) {
    if (!s.empty()) raw(s.data(), s.size());
  }
  void operator()(std::string_view name, std::string_view sent) { pair(name, recorded_value(ctx, name, sent)); }
  void pair(std::string_view name, std::string_view value) {
    const std::uint32_t lengths[2] = {static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())};
    raw(lengths, sizeof lengths);
    raw(name);
    raw(value);
  }
};

/// The parts of a request line that nginx refused: as far as they can be told apart.
struct RefusedLine {
  std::string_view method, target;
  explicit RefusedLine(std::string_view line) {
    const std::size_t space = std::min(line.find(' '), line.size());
    method = line.substr(0, space);
    target = line.substr(std::min(space + 1, line.size()));
    target = target.substr(0, target.rfind(" HTTP/"));
  }
};

record::BodyHead body_head(const capture::BodyCapture& body, std::size_t limit, std::uint64_t declared) {
  record::BodyHead head;
  head.size = std::max(body.size(), declared);
  head.captured = static_cast<std::uint32_t>(std::min(body.bytes().size(), limit));
  head.recorded = 1;
  return head;
}

void fill_timings(Context& ctx, record::ExchangeHead& head) {
  const Timings timings = timings_of(ctx);
  head.started_us = static_cast<std::uint64_t>(started_ms(ctx.r)) * 1000;
  head.duration_ms = static_cast<std::int32_t>(timings.request_ms);
  head.gateway_ms = static_cast<std::int32_t>(timings.gateway_ms);
  head.upstream_ms = static_cast<std::int32_t>(timings.upstream_ms);
  head.upstream_connect_ms = head.upstream_header_ms = head.receive_ms = -1;
  if (!ctx.proxied) return;
  if (ctx.upstream_header_ms >= 0)
    head.receive_ms = static_cast<std::int32_t>(std::max<std::int64_t>(0, now_ms() - ctx.upstream_header_ms));
  if (ctx.r->upstream_states == nullptr || ctx.r->upstream_states->nelts == 0) return;
  const auto* states = static_cast<ngx_http_upstream_state_t*>(ctx.r->upstream_states->elts);
  const ngx_http_upstream_state_t& last = states[ctx.r->upstream_states->nelts - 1];
  head.tries = static_cast<std::uint32_t>(ctx.r->upstream_states->nelts);
  head.upstream_connect_ms = static_cast<std::int32_t>(last.connect_time);
  head.upstream_header_ms = static_cast<std::int32_t>(last.header_time);
}

std::string_view last_peer(const ngx_http_request_t* r) {
  if (r->upstream_states == nullptr || r->upstream_states->nelts == 0) return {};
  const auto* states = static_cast<ngx_http_upstream_state_t*>(r->upstream_states->elts);
  const ngx_str_t* peer = states[r->upstream_states->nelts - 1].peer;
  return peer != nullptr ? view(*peer) : std::string_view{};
}

/// As $upstream_status: the statuses of all peers that were asked, as far as they fit into `buffer`.
std::string_view upstream_statuses(const ngx_http_request_t* r, std::span<u_char> buffer) {
  if (r->upstream_states == nullptr) return {};
  const auto* states = static_cast<ngx_http_upstream_state_t*>(r->upstream_states->elts);
  u_char *p = buffer.data(), *const end = p + buffer.size();
  for (ngx_uint_t i = 0; i < r->upstream_states->nelts && end - p > 16; ++i) {
    if (i > 0) p = ngx_cpymem(p, ", ", 2);
    p = states[i].status != 0 ? ngx_sprintf(p, "%ui", states[i].status) : ngx_cpymem(p, "-", 1);
  }
  return {reinterpret_cast<char*>(buffer.data()), static_cast<std::size_t>(p - buffer.data())};
}

void describe_tls([[maybe_unused]] ngx_http_request_t* r, [[maybe_unused]] std::string_view* strings) {
#if (NGX_HTTP_SSL)
  if (r->connection->ssl == nullptr) return;
  const SSL* ssl = r->connection->ssl->connection;
  strings[record::kTlsVersion] = SSL_get_version(ssl);
  if (const char* cipher = SSL_get_cipher_name(ssl); cipher != nullptr) strings[record::kTlsCipher] = cipher;
  ngx_str_t verified{};
  if (ngx_ssl_get_client_verify(r->connection, r->pool, &verified) == NGX_OK)
    strings[record::kTlsClientVerify] = view(verified);
#endif
}

std::uint32_t source_of(Context& ctx) {
  using Answered = Response::Source;
  using Recorded = ExchangeRecord::Source;
  const Answered source = ctx.exchange.response().source();
  // Also where a peer was asked and none answered, it is the gateway's error.
  const bool upstream = source == Answered::kService && ctx.upstream_header_ms >= 0;
  return static_cast<std::uint32_t>(source == Answered::kExit ? Recorded::kExit
                                    : upstream                ? Recorded::kUpstream
                                                              : Recorded::kError);
}

/// The tries as they stand in the record, gathered before its size is known.
struct TryTexts {
  record::TryHead heads[record::kMaxTries];
  u_char ips[record::kMaxTries][NGX_SOCKADDR_STRLEN];
  std::uint32_t count = 0, bytes = 0;

  explicit TryTexts(const Context& ctx) {
    for (; count < ctx.noted_count; ++count) {
      const NotedTry& noted = ctx.noted_tries[count];
      auto* address = const_cast<sockaddr*>(noted.address);
      record::TryHead& head = heads[count];
      head = {noted.started_ns, noted.latency_ns, 0, 0, noted.code, static_cast<std::uint32_t>(noted.state)};
      head.port = address->sa_family == AF_UNIX ? std::uint16_t{0} : ngx_inet_get_port(address);
      head.ip_length = static_cast<std::uint32_t>(
          ngx_sock_ntop(address, noted.address_length, ips[count], sizeof ips[count], 0));
      bytes += static_cast<std::uint32_t>(sizeof head) + head.ip_length;
    }
    // As Kong: the last one is told of where all were used up, and the gateway answers in their place.
    if (count == 0 || ctx.service == nullptr || count <= ctx.service->retries) return;
    const int status = answered_status(ctx.r);
    if (status < 500 || heads[count - 1].code != 0) return;
    heads[count - 1].code = static_cast<std::uint16_t>(status);
    heads[count - 1].state = static_cast<std::uint32_t>(Try::State::kFailed);
  }
};

/// Without the values of secrets, as the target has none.
std::string_view shown_upstream_uri(const Context& ctx) {
  const std::string_view uri = view(ctx.upstream_uri);
  static auto& redacted = *new std::string;  // The event thread's own.
  if (ctx.runtime != nullptr && gateway::redact_arguments(uri, ctx.runtime->chains().secret_names(), redacted))
    return redacted;
  return uri;
}

}  // namespace

void record_entry(Context& ctx, const gateway::ChainItem& item, std::string_view entry) noexcept {
  record::RingProducer* ring = worker()->ring();
  if (ring == nullptr) return;
  record::QueueHead head{};
  head.generation = ctx.runtime != nullptr ? ctx.runtime->generation() : 0;
  std::memcpy(head.plugin_id, item.plugin_id.data(), sizeof head.plugin_id);
  std::memcpy(head.request_id, ctx.request_id_bytes().data(), sizeof head.request_id);
  head.id_ticks = worker()->next_id_ticks(now_ms());
  head.length = static_cast<std::uint32_t>(entry.size());
  std::byte* to = ring->reserve(sizeof head + entry.size(), record::kQueueRecord);
  if (to == nullptr) return;  // Counted by the ring.
  std::memcpy(&head.head, to, sizeof head.head);
  Writer write{ctx, to};
  write.raw(&head, sizeof head);
  write.raw(entry);
  ring->commit();
}

Timings timings_of(const Context& ctx) {
  const std::int64_t start = started_ms(ctx.r), end = now_ms();
  Timings timings;
  timings.request_ms = std::max<std::int64_t>(0, end - start);
  timings.gateway_ms = timings.request_ms;
  if (ctx.proxied) {
    timings.gateway_ms = std::max<std::int64_t>(0, ctx.proxy_started_ms - start);
    const std::int64_t answered = ctx.upstream_header_ms >= 0 ? ctx.upstream_header_ms : end;
    timings.upstream_ms = std::max<std::int64_t>(0, answered - ctx.proxy_started_ms);
  }
  timings.bytes_received = static_cast<std::uint64_t>(std::max<off_t>(0, ctx.r->request_length));
  timings.bytes_sent = static_cast<std::uint64_t>(std::max<off_t>(0, ctx.r->connection->sent));
  return timings;
}

void record_exchange(Context& ctx, const gateway::ChainItem& item, const Exchange::RecordLimits& limits) noexcept {
  record::RingProducer* ring = worker()->ring();
  if (ring == nullptr) return;
  ngx_http_request_t* r = ctx.r;

  record::ExchangeHead head{};
  head.generation = ctx.runtime != nullptr ? ctx.runtime->generation() : 0;
  std::memcpy(head.plugin_id, item.plugin_id.data(), sizeof head.plugin_id);
  std::memcpy(head.request_id, ctx.request_id_bytes().data(), sizeof head.request_id);
  head.id_ticks = worker()->next_id_ticks(now_ms());
  fill_timings(ctx, head);
  head.status = static_cast<std::uint16_t>(answered_status(r));
  head.port = client_port(r);

  std::string_view strings[record::kStringCount];
  strings[record::kMethod] = view(ctx.method);
  strings[record::kTarget] = view(ctx.logged_target.data != nullptr ? ctx.logged_target : ctx.client_target);
  if (ctx.client_target.len == 0 || ctx.method.len == 0) {
    const RefusedLine line(raw_request_line(r));
    strings[record::kMethod] = line.method;
    strings[record::kTarget] = line.target;
    static auto& redacted = *new std::string;  // The event thread's own.
    if (ctx.runtime != nullptr && gateway::redact_arguments(line.target, ctx.runtime->chains().secret_names(), redacted))
      strings[record::kTarget] = redacted;
  }
  strings[record::kScheme] = client_scheme(r);
  strings[record::kHost] = view(r->headers_in.server);
  strings[record::kClientIp] = view(r->connection->addr_text);
  strings[record::kProtocol] = view(r->http_protocol);
  if (ctx.service != nullptr) {
    strings[record::kServiceId] = ctx.service->id;
    strings[record::kServiceName] = ctx.service->name;
  }
  if (ctx.route != nullptr) {
    strings[record::kRouteId] = ctx.route->id;
    strings[record::kRouteName] = ctx.route->name;
  }
  strings[record::kUpstream] = last_peer(r);
  if (const Consumer* consumer = ctx.exchange.client().consumer()) {
    strings[record::kConsumerId] = consumer->id;
    strings[record::kConsumerUsername] = consumer->username;
  }

  if (const EntityView* credential = ctx.exchange.client().credential()) {
    strings[record::kCredentialId] = credential->id;
    if (credential->consumer != nullptr) strings[record::kCredentialConsumerId] = credential->consumer->id;
  }
  u_char statuses[128];
  strings[record::kUpstreamUri] = shown_upstream_uri(ctx);
  strings[record::kUpstreamStatus] = upstream_statuses(r, statuses);
  describe_tls(r, strings);
  head.request_bytes = static_cast<std::uint64_t>(std::max<off_t>(0, r->request_length));
  head.response_bytes = static_cast<std::uint64_t>(std::max<off_t>(0, r->connection->sent));
  head.source = source_of(ctx);

  const TryTexts tries(ctx);
  head.try_count = tries.count;
  head.tries_bytes = tries.bytes;
  for (const SetValue* value = ctx.first_value; value != nullptr; value = value->next) {
    ++head.value_count;
    head.values_bytes += static_cast<std::uint32_t>(8 + value->path.size() + value->json.size());
  }

  HeaderSizes request_headers{ctx}, response_headers{ctx};
  each_client_header(ctx, request_headers);
  each_answer_header(ctx, response_headers);
  head.request_header_count = request_headers.count;
  head.request_headers_bytes = request_headers.bytes;
  head.response_header_count = response_headers.count;
  head.response_headers_bytes = response_headers.bytes;
  if (limits.request_body_bytes) {
    const off_t declared = ctx.client_body_length >= 0 ? ctx.client_body_length : r->headers_in.content_length_n;
    head.request_body = body_head(ctx.request_body, *limits.request_body_bytes, declared > 0 ? static_cast<std::uint64_t>(declared) : 0);
  }
  if (limits.response_body_bytes) head.response_body = body_head(ctx.response_body, *limits.response_body_bytes, 0);

  std::size_t size = sizeof head + head.request_headers_bytes + head.response_headers_bytes +
                     head.values_bytes + head.tries_bytes + head.request_body.captured + head.response_body.captured;
  for (std::uint32_t i = 0; i < record::kStringCount; ++i) {
    head.string_length[i] = static_cast<std::uint32_t>(strings[i].size());
    size += strings[i].size();
  }

  std::byte* to = ring->reserve(size, record::kExchangeRecord);
  if (to == nullptr) return;  // Counted by the ring.
  std::memcpy(&head.head, to, sizeof head.head);
  Writer write{ctx, to};
  write.raw(&head, sizeof head);
  for (const std::string_view s : strings) write.raw(s);
  each_client_header(ctx, write);
  each_answer_header(ctx, write);
  for (const SetValue* value = ctx.first_value; value != nullptr; value = value->next)
    write.pair(value->path, value->json);
  for (std::uint32_t i = 0; i < tries.count; ++i) {
    write.raw(&tries.heads[i], sizeof tries.heads[i]);
    write.raw(tries.ips[i], tries.heads[i].ip_length);
  }
  write.raw(ctx.request_body.bytes().substr(0, head.request_body.captured));
  write.raw(ctx.response_body.bytes().substr(0, head.response_body.captured));
  ring->commit();
}

}  // namespace gibbon::nginx
