// One request through the phases, and what the delivery half makes of it.
#include <algorithm>

#include "base/ascii.hpp"
#include "base/json.hpp"
#include "base/uuid.hpp"
#include "gateway/request/arguments.hpp"
#include "record/secret_headers.hpp"
#include "testing/exchange.hpp"

namespace gibbon::testing {
namespace {

class TestHandshake final : public Handshake {
 public:
  TestHandshake(World& world, const ClientRequest& client) : world_(world), client_(client), name_(ascii_lower(client.server_name)) {}
  std::string_view server_name() const override { return name_; }
  std::string_view client_ip() const override { return client_.client_ip; }
  Node& node() override { return world_; }
  Log& log() override { return world_; }

 private:
  World& world_;
  const ClientRequest& client_;
  std::string name_;
};

class TestChunk final : public BodyChunk {
 public:
  explicit TestChunk(const State& state) : state_(state) {}
  void replace(std::string_view other) override {
    if (replaced) throw std::logic_error("replace() was called before for this piece");
    if (!first_header(state_.headers, "content-length").empty())
      throw std::logic_error("replace() needs a header_filter that clears Content-Length, or hold_body()");
    replaced = true;
    text = other;
  }
  bool replaced = false;
  std::string text;

 private:
  const State& state_;
};

class Run {
 public:
  Run(World& world, const ClientRequest& request, Answer& answer)
      : world_(world), plugin_(world.plugin), request_(request), state_(world, request), exchange_(state_), answer_(answer) {}

  void all() {
    handshake();
    waiting_phase(Phase::kRewrite, plugin_.rewrite);
    if (!state_.answered) access();
    if (!state_.answered) call_upstream();
    if (state_.reached_upstream && !state_.answered) waiting_phase(Phase::kResponse, plugin_.response);
    head();
    body();
    plain_phase(Phase::kLog, plugin_.log);
    finish();
  }

 private:
  /// What it lets escape costs the failure policy.
  void guard(Phase phase, const std::function<void()>& f) {
    state_.now = phase;
    std::string thrown = world_.guarded(phase, f);
    if (thrown.empty()) return;
    answer_.thrown.push_back(std::move(thrown));
    if (plugin_.failure_policy == FailurePolicy::kOpen || state_.by_exit) return;
    if (phase == Phase::kHeaderFilter) {
      state_.status = 500;
      state_.chunks.assign(1, "");
      set_header(state_.headers, "Content-Length", "0");
    } else if (phase == Phase::kRewrite || phase == Phase::kAccess || phase == Phase::kResponse) {
      state_.answered = true;
      answer_with_message(state_, 500, "An unexpected error occurred");
    }
  }

  void handshake() {
    if (request_.scheme != "https" || plugin_.certificate == nullptr) return;
    guard(Phase::kCertificate, [&] {
      TestHandshake handshake(world_, request_);
      plugin_.certificate(handshake, world_.config);
    });
  }

  void waiting_phase(Phase phase, Task<> (*method)(Exchange&, const void*)) {
    if (method == nullptr) return;
    guard(phase, [&] { world_.clock.finish(method(exchange_, world_.config)); });
  }

  void plain_phase(Phase phase, void (*method)(Exchange&, const void*)) {
    state_.now = phase;
    if (method != nullptr) guard(phase, [&] { method(exchange_, world_.config); });
  }

  void access() {
    if (plugin_.reads_body != nullptr)
      guard(Phase::kAccess, [&] { state_.body_was_read = plugin_.reads_body(exchange_.request(), world_.config); });
    if (!state_.answered) waiting_phase(Phase::kAccess, plugin_.access);
  }

  void call_upstream() {
    state_.reached_upstream = true;
    answer_.upstream = state_.to_upstream;
    UpstreamAnswer& answer = state_.from_upstream;
    if (world_.upstream) answer = world_.upstream(state_.to_upstream);
    if (answer.chunks.empty()) answer.chunks.emplace_back();
    if (answer.chunks.size() == 1 && first_header(answer.headers, "content-length").empty())
      answer.headers.emplace_back("Content-Length", std::to_string(answer.chunks[0].size()));
    state_.status = answer.status;
    state_.chunks = answer.chunks;
    // What rewrite and access set replaces what the upstream says.
    HeaderList headers = answer.headers;
    for (const auto& [name, value] : state_.headers) clear_header(headers, name);
    headers.insert(headers.end(), state_.headers.begin(), state_.headers.end());
    state_.headers = std::move(headers);
  }

  void head() { plain_phase(Phase::kHeaderFilter, plugin_.header_filter); }

  void body() {
    state_.now = Phase::kBodyFilter;
    if (state_.holds_body) {
      std::string whole;
      for (const std::string& chunk : state_.chunks) whole += chunk;
      state_.chunks.assign(1, std::move(whole));
    }
    for (std::size_t i = 0; i < state_.chunks.size(); ++i) {
      TestChunk chunk(state_);
      chunk.bytes = state_.chunks[i];
      chunk.last = i + 1 == state_.chunks.size();
      if (plugin_.body_filter != nullptr)
        guard(Phase::kBodyFilter, [&] { plugin_.body_filter(exchange_, chunk, world_.config); });
      state_.sent += chunk.replaced ? chunk.text : state_.chunks[i];
    }
  }

  void finish() {
    answer_.status = state_.status;
    answer_.headers = std::move(state_.headers);
    answer_.body = std::move(state_.sent);
    answer_.reached_upstream = state_.reached_upstream;
    answer_.entries = std::move(state_.entries);
  }

  World& world_;
  const PluginDescriptor& plugin_;
  const ClientRequest& request_;
  State state_;
  TestExchange exchange_;
  Answer& answer_;
};

CapturedBody captured(std::string_view whole, bool is_captured, std::size_t kept, std::optional<std::size_t> limit) {
  CapturedBody body;
  if (!limit) return body;
  body.recorded = true;
  body.size = whole.size();
  if (is_captured) body.bytes = whole.substr(0, std::min(kept, *limit));
  return body;
}

bool is_secret(std::string_view name, const std::vector<std::string>& secrets) {
  return record::is_secret_header(name) ||
         std::any_of(secrets.begin(), secrets.end(), [&](const std::string& secret) { return equals_lower(name, ascii_lower(secret)); });
}

std::vector<Header> redacted(const HeaderList& headers, const std::vector<std::string>& secrets) {
  std::vector<Header> result;
  for (const auto& [name, value] : headers)
    result.push_back({name, is_secret(name, secrets) ? record::kRedacted : std::string_view(value)});
  return result;
}

void put(State& state, std::string entry) {
  boost::system::error_code failed;
  const json::value parsed = json::parse(entry, failed);
  if (failed) throw std::logic_error("what the plugin encoded is no JSON: " + entry);
  state.entries.push_back(entry);
  state.world.entries.push_back(std::move(entry));
}

}  // namespace

Answer run_exchange(World& world, const ClientRequest& request) {
  Answer answer;
  Run(world, request, answer).all();
  return answer;
}

void deliver_record(State& state, const Exchange& exchange, const Exchange::RecordLimits& limits) {
  const PluginDescriptor& plugin = state.world.plugin;
  if (plugin.encode == nullptr) throw std::logic_error("record() needs a handler with encode() and destination()");
  std::vector<std::string> secrets;
  if (plugin.secrets != nullptr) secrets = plugin.secrets(state.world.config);
  for (std::string& secret : secrets) secret = ascii_lower(secret);

  const std::vector<Header> request_headers = redacted(state.client_headers, secrets);
  const std::vector<Header> response_headers = redacted(state.headers, secrets);
  std::string target = state.client.target;
  gateway::redact_arguments(state.client.target, secrets, target);
  std::string body = state.client.body;
  for (const std::string& name : state.hidden_body_fields)
    for (const auto& value : gateway::find_body_field(first_header(state.client_headers, "content-type"), body, name).values)
      std::fill(body.begin() + static_cast<std::ptrdiff_t>(value.begin), body.begin() + static_cast<std::ptrdiff_t>(value.end), '*');

  ExchangeRecord record;
  record.id = static_cast<double>(state.started_ms);
  record.entry_id = "01970f1e-6a00-7000-8000-000000000000";
  record.request_id = state.id;
  record.started_us = static_cast<std::uint64_t>(state.started_ms) * 1000;
  record.method = state.client.method;
  record.scheme = state.client.scheme;
  record.host = first_header(state.client_headers, "host");
  record.target = target;
  record.client_ip = state.client.client_ip;
  record.protocol = state.client.protocol;
  record.port = state.client.port;
  record.request_headers = request_headers;
  record.response_headers = response_headers;
  record.request_body = captured(body, state.captures_request, state.request_capture, limits.request_body_bytes);
  record.response_body = captured(state.sent, state.captures_response, state.response_capture, limits.response_body_bytes);
  record.status = static_cast<std::uint16_t>(state.status);
  record.route_name = state.world.route_name;
  record.service_name = state.world.service_name;
  if (state.consumer != nullptr) record.consumer_id = state.consumer->id, record.consumer_username = state.consumer->username;
  record.duration_ms = record.gateway_ms = static_cast<std::int32_t>(state.world.clock.now_ms - state.started_ms);
  std::string upstream_uri = state.to_upstream.path;
  if (!state.to_upstream.query.empty()) upstream_uri += "?" + state.to_upstream.query;
  const std::string upstream_status = std::to_string(state.from_upstream.status);
  if (state.reached_upstream) {
    record.upstream = "127.0.0.1:80";
    record.upstream_ms = 0;
    record.tries = 1;
    record.upstream_uri = upstream_uri;
    record.upstream_status = upstream_status;
  }
  if (state.credential != nullptr) {
    record.credential_id = state.credential->id;
    if (state.credential->consumer != nullptr) record.credential_consumer_id = state.credential->consumer->id;
  }

  std::vector<SerializeValue> values;
  for (const auto& [path, text] : state.serialized) values.push_back({path, text});
  record.serialize_values = values;
  const Timings timings = exchange.timings();
  record.request_bytes = timings.bytes_received;
  record.response_bytes = timings.bytes_sent;
  record.source = state.by_exit            ? ExchangeRecord::Source::kExit
                  : state.reached_upstream ? ExchangeRecord::Source::kUpstream
                                           : ExchangeRecord::Source::kError;

  std::string entry;
  plugin.encode(record, state.world.config, entry);
  put(state, std::move(entry));
}

void deliver_entry(State& state, std::string_view raw) {
  const PluginDescriptor& plugin = state.world.plugin;
  if (plugin.encode_entry == nullptr) throw std::logic_error("enqueue() needs a handler with encode_entry() and destination()");
  std::string entry;
  plugin.encode_entry(raw, state.world.config, entry);
  put(state, std::move(entry));
}

}  // namespace gibbon::testing
