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
  void operator()(std::string_view name, std::string_view sent) {
    const std::string_view value = recorded_value(ctx, name, sent);
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
  const std::int64_t start = started_ms(ctx.r), end = now_ms();
  head.started_us = static_cast<std::uint64_t>(start) * 1000;
  head.duration_ms = static_cast<std::int32_t>(std::max<std::int64_t>(0, end - start));
  head.gateway_ms = ctx.proxied ? static_cast<std::int32_t>(std::max<std::int64_t>(0, ctx.proxy_started_ms - start)) : head.duration_ms;
  head.upstream_ms = head.upstream_connect_ms = head.upstream_header_ms = -1;
  if (!ctx.proxied) return;
  const std::int64_t answered = ctx.upstream_header_ms >= 0 ? ctx.upstream_header_ms : end;
  head.upstream_ms = static_cast<std::int32_t>(std::max<std::int64_t>(0, answered - ctx.proxy_started_ms));
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

}  // namespace

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
                     head.request_body.captured + head.response_body.captured;
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
  write.raw(ctx.request_body.bytes().substr(0, head.request_body.captured));
  write.raw(ctx.response_body.bytes().substr(0, head.response_body.captured));
  ring->commit();
}

}  // namespace gibbon::nginx
