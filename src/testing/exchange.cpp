#include "testing/exchange.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "base/percent.hpp"
#include "gateway/answer/error_body.hpp"
#include "gateway/request/arguments.hpp"
#include "gateway/router/path.hpp"

namespace gibbon::testing {
namespace {

constexpr Phases kEveryRequestPhase = {Phase::kRewrite,      Phase::kAccess,     Phase::kResponse,
                                       Phase::kHeaderFilter, Phase::kBodyFilter, Phase::kLog};
constexpr Phases kAnswer = {Phase::kResponse, Phase::kHeaderFilter, Phase::kBodyFilter, Phase::kLog};
constexpr Phases kChangeAnswer = {Phase::kRewrite, Phase::kAccess, Phase::kResponse, Phase::kHeaderFilter};
constexpr Phases kBeforeUpstream = {Phase::kRewrite, Phase::kAccess};
constexpr Phases kAccess = {Phase::kAccess};
constexpr Phases kFromAccess = {Phase::kAccess,     Phase::kResponse, Phase::kHeaderFilter, Phase::kBodyFilter,
                                Phase::kLog};

/// In any case; '_' and '-' are the same.
bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           const auto plain = [](char c) { return c == '_' ? '-' : ascii_lower(c); };
           return plain(x) == plain(y);
         });
}

void visit_all(const HeaderList& headers, HeaderVisitor visit) {
  for (const auto& [name, value] : headers) visit(name, value);
}

class RequestPart final : public gibbon::Request {
 public:
  explicit RequestPart(State& state) : state_(state) {}
  std::string_view method() const override { return state_.client.method; }
  std::string_view scheme() const override { return state_.client.scheme; }
  std::string_view host() const override {
    std::string_view host = first_header(state_.client_headers, "host");
    const std::size_t colon = host.rfind(':');
    if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) host = host.substr(0, colon);
    return state_.keep(ascii_lower(host));
  }
  std::uint16_t port() const override { return state_.client.port; }
  std::string_view protocol() const override { return state_.client.protocol; }
  std::string_view target() const override { return state_.client.target; }
  std::string_view path() const override { return state_.path; }
  std::string_view query() const override { return state_.query; }
  std::int64_t started_ms() const override { return state_.started_ms; }
  std::string_view id() const override { return state_.id; }
  TlsView tls() const override {
    if (state_.client.scheme != "https") return {};
    return {"TLSv1.3", "TLS_AES_256_GCM_SHA384", "NONE"};
  }
  std::string_view forwarded_scheme() const override { return scheme(); }
  std::string_view forwarded_host() const override { return host(); }
  std::uint16_t forwarded_port() const override { return port(); }
  std::string_view header(std::string_view name) const override { return first_header(state_.client_headers, name); }
  void each_header(HeaderVisitor visit) const override { visit_all(state_.client_headers, visit); }
  Parameter find_header(std::string_view name) const override {
    Parameter found;
    for (const auto& [key, value] : state_.client_headers) {
      if (!same_name(key, name)) continue;
      if (found.kind != Parameter::Kind::kMissing) return {Parameter::Kind::kRepeated};
      found = {Parameter::Kind::kText, value};
    }
    return found;
  }
  Parameter find_query_argument(std::string_view name) const override {
    return parameter(gateway::find_argument(state_.query, name));
  }
  void each_query_argument(ArgumentVisitor visit) const override {
    for (std::size_t at = 0; at < state_.query.size();) {
      const std::size_t end = std::min(state_.query.find('&', at), state_.query.size());
      const std::string_view one = std::string_view(state_.query).substr(at, end - at);
      const std::size_t equals = one.find('=');
      at = end + 1;
      if (one.empty()) continue;
      const std::string name = percent_decode(one.substr(0, equals), true);
      const bool has_value = equals != std::string_view::npos;
      visit(state_.keep(name), has_value ? state_.keep(percent_decode(one.substr(equals + 1), true)) : std::string_view(),
            has_value);
    }
  }
  std::string_view uri_capture(std::string_view) const override {
    state_.require("uri_capture", kFromAccess);
    return {};
  }
  std::int64_t content_length() const override {
    const std::string_view text = header("content-length");
    return text.empty() ? -1 : std::stoll(std::string(text));
  }
  Body body() const override {
    state_.require("body", kFromAccess);
    if (!state_.body_was_read) return {};
    return {state_.client.body, state_.client.body.size()};
  }
  Parameter find_body_field(std::string_view name) const override {
    state_.require("find_body_field", kAccess);
    if (!state_.body_was_read) return {};
    return parameter(gateway::find_body_field(header("content-type"), state_.client.body, name));
  }
  void capture_body(std::size_t limit_bytes) override {
    state_.require("capture_body", kBeforeUpstream);
    state_.captures_request = true;
    state_.request_capture = std::max(state_.request_capture, limit_bytes);
  }
  void hide_body_field(std::string_view name) override {
    state_.require("hide_body_field", kAccess);
    state_.hidden_body_fields.emplace_back(name);
  }

 private:
  Parameter parameter(gateway::Found found) const { return {found.kind, state_.keep(std::move(found.text))}; }
  State& state_;
};

class ServiceRequestPart final : public ServiceRequest {
 public:
  explicit ServiceRequestPart(State& state) : state_(state), up_(state.to_upstream) {}
  std::string_view method() const override { return up_.method; }
  std::string_view path() const override { return state_.keep(state_.now == Phase::kRewrite ? "" : up_.path); }
  std::string_view query() const override { return state_.keep(up_.query); }
  std::string_view header(std::string_view name) const override {
    return state_.keep(std::string(first_header(up_.headers, name)));
  }
  void each_header(HeaderVisitor visit) const override { visit_all(up_.headers, visit); }
  Body body() const override {
    state_.require("body", kAccess);
    if (!state_.body_was_read) return {};
    return {up_.body, up_.body.size()};
  }
  void set_method(std::string_view method) override {
    state_.require("set_method", kBeforeUpstream);
    up_.method = method;
  }
  void set_path(std::string_view path) override {
    state_.require("set_path", kAccess);
    if (!path.starts_with('/')) throw std::invalid_argument("set_path() needs a path that begins with '/'");
    up_.path.clear();
    constexpr std::string_view kOf = "-._~!$&'()*+,;=:@/%";
    for (const char c : path) {
      const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      up_.path += plain || kOf.find(c) != std::string_view::npos ? std::string(1, c) : percent_encode(std::string(1, c));
    }
  }
  void set_query(std::string_view query) override {
    state_.require("set_query", kAccess);
    up_.query = query;
  }
  void set_header(std::string_view name, std::string_view value) override {
    state_.require("set_header", kBeforeUpstream);
    testing::set_header(up_.headers, name, value);
  }
  void add_header(std::string_view name, std::string_view value) override {
    state_.require("add_header", kBeforeUpstream);
    up_.headers.emplace_back(name, value);
  }
  void clear_header(std::string_view name) override {
    state_.require("clear_header", kBeforeUpstream);
    testing::clear_header(up_.headers, name);
  }
  void clear_query_argument(std::string_view name) override {
    state_.require("clear_query_argument", kAccess);
    up_.query = gateway::without(up_.query, gateway::find_argument(up_.query, name).members);
  }
  void clear_body_field(std::string_view name) override {
    state_.require("clear_body_field", kAccess);
    if (!state_.body_was_read) return;
    const auto found = gateway::find_body_field(first_header(up_.headers, "content-type"), up_.body, name);
    change_body(gateway::without(up_.body, found.members));
  }
  void set_body(std::string_view bytes) override {
    state_.require("set_body", kAccess);
    if (!state_.body_was_read) throw std::logic_error("set_body() needs a handler whose reads_body() asked for the body");
    change_body(std::string(bytes));
  }

 private:
  void change_body(std::string body) {
    up_.body = std::move(body);
    testing::set_header(up_.headers, "Content-Length", std::to_string(up_.body.size()));
  }
  State& state_;
  UpstreamRequest& up_;
};

class ServicePart final : public Service {
 public:
  explicit ServicePart(State& state) : state_(state) {}
  bool set_upstream(std::string_view name) override {
    state_.require("set_upstream", kAccess);
    state_.to_upstream.upstream = name;
    return true;
  }
  void set_target(std::string_view host, std::uint16_t port) override {
    state_.require("set_target", kAccess);
    state_.to_upstream.upstream = std::string(host) + ":" + std::to_string(port);
  }
  void set_retries(std::uint32_t retries) override {
    state_.require("set_retries", kAccess);
    if (retries > 32767) throw std::invalid_argument("set_retries() takes 0 to 32767");
  }
  void set_timeouts(std::chrono::milliseconds, std::chrono::milliseconds, std::chrono::milliseconds) override {
    state_.require("set_timeouts", kAccess);
  }

 private:
  State& state_;
};

class ServiceResponsePart final : public ServiceResponse {
 public:
  explicit ServiceResponsePart(State& state) : state_(state) {}
  int status() const override {
    state_.require("status", kAnswer);
    return state_.reached_upstream ? state_.from_upstream.status : 0;
  }
  std::string_view header(std::string_view name) const override {
    state_.require("header", kAnswer);
    return first_header(state_.from_upstream.headers, name);
  }
  void each_header(HeaderVisitor visit) const override {
    state_.require("each_header", kAnswer);
    visit_all(state_.from_upstream.headers, visit);
  }

 private:
  State& state_;
};

class ResponsePart final : public gibbon::Response {
 public:
  explicit ResponsePart(State& state) : state_(state) {}
  Source source() const override {
    state_.require("source", kAnswer);
    return state_.by_exit ? Source::kExit : state_.reached_upstream ? Source::kService : Source::kError;
  }
  int status() const override {
    state_.require("status", kAnswer);
    return state_.status;
  }
  std::string_view header(std::string_view name) const override {
    return state_.keep(std::string(first_header(state_.headers, name)));
  }
  void each_header(HeaderVisitor visit) const override { visit_all(state_.headers, visit); }
  void set_status(int status) override {
    state_.require("set_status", {Phase::kResponse, Phase::kHeaderFilter});
    state_.status = status;
  }
  void set_header(std::string_view name, std::string_view value) override {
    state_.require("set_header", kChangeAnswer);
    testing::set_header(state_.headers, name, value);
  }
  void add_header(std::string_view name, std::string_view value) override {
    state_.require("add_header", kChangeAnswer);
    state_.headers.emplace_back(name, value);
  }
  void clear_header(std::string_view name) override {
    state_.require("clear_header", kChangeAnswer);
    testing::clear_header(state_.headers, name);
  }
  void capture_body(std::size_t limit_bytes) override {
    state_.require("capture_body", kChangeAnswer);
    state_.captures_response = true;
    state_.response_capture = std::max(state_.response_capture, limit_bytes);
  }
  void hold_body() override {
    state_.require("hold_body", {Phase::kHeaderFilter});
    state_.holds_body = true;
    testing::clear_header(state_.headers, "Content-Length");
  }
  std::string_view body() const override {
    state_.require("body", {Phase::kResponse});
    std::string whole;
    for (const std::string& chunk : state_.chunks) whole += chunk;
    return state_.keep(std::move(whole));
  }
  void set_body(std::string_view bytes) override {
    state_.require("set_body", {Phase::kResponse});
    if (state_.body_was_set) throw std::logic_error("set_body() was called before in this phase");
    state_.body_was_set = true;
    state_.chunks.assign(1, std::string(bytes));
    testing::set_header(state_.headers, "Content-Length", std::to_string(bytes.size()));
  }

 private:
  State& state_;
};

class RouterPart final : public Router {
 public:
  explicit RouterPart(State& state)
      : state_(state),
        route_{"8f5e1c1e-7a34-4c0a-9a55-5a3f5d9b2c10", state.world.route_name},
        service_{"c2a4b7f0-1d8e-4f6b-8c3d-6e7f8a9b0c1d", state.world.service_name, "http", "upstream.test", "/", 80} {}
  const RouteView* route() const override {
    return state_.now == Phase::kRewrite || state_.world.route_name.empty() ? nullptr : &route_;
  }
  const ServiceView* service() const override {
    return state_.now == Phase::kRewrite || state_.world.service_name.empty() ? nullptr : &service_;
  }

 private:
  State& state_;
  RouteView route_;
  ServiceView service_;
};

class ClientPart final : public Client {
 public:
  explicit ClientPart(State& state) : state_(state) {}
  std::string_view ip() const override { return state_.client.client_ip; }
  std::string_view connection_ip() const override { return state_.client.client_ip; }
  std::uint16_t port() const override { return 50000; }
  const Consumer* consumer() const override { return state_.consumer; }
  const EntityView* credential() const override { return state_.credential; }
  void authenticate(const Consumer* consumer, const EntityView* credential, std::string_view identifier) override {
    state_.require("authenticate", kAccess);
    if (consumer == nullptr && credential == nullptr)
      throw std::logic_error("authenticate() needs a consumer or a credential");
    state_.consumer = consumer;
    state_.credential = credential;
    const Consumer who = consumer != nullptr ? *consumer : Consumer{};
    set("X-Consumer-ID", who.id);
    set("X-Consumer-Custom-ID", who.custom_id);
    set("X-Consumer-Username", who.username);
    set("X-Credential-Identifier", credential == nullptr ? "" : identifier.empty() ? credential->id : identifier);
    set("X-Anonymous-Consumer", credential == nullptr ? "true" : "");
  }
  std::span<const std::string_view> authenticated_groups() const override { return state_.groups; }
  void set_authenticated_groups(std::span<const std::string_view> groups) override {
    state_.require("set_authenticated_groups", kAccess);
    state_.groups.clear();
    for (const std::string_view group : groups) state_.groups.push_back(state_.keep(std::string(group)));
  }

 private:
  void set(std::string_view name, std::string_view value) {
    if (value.empty()) {
      clear_header(state_.to_upstream.headers, name);
    } else {
      set_header(state_.to_upstream.headers, name, value);
    }
  }
  State& state_;
};

class EntitiesPart final : public Entities {
 public:
  explicit EntitiesPart(State& state) : world_(state.world) {}
  const EntityView* find(std::string_view collection, std::string_view key) const override {
    for (const StoredEntity& entity : world_.entities)
      if (entity.collection == collection && entity.key == key) return &entity.view;
    return nullptr;
  }
  void each_of_consumer(std::string_view collection, const Consumer& consumer,
                        Visitor<const EntityView&> visit) const override {
    for (const StoredEntity& entity : world_.entities)
      if (entity.collection == collection && entity.view.consumer != nullptr && entity.view.consumer->id == consumer.id)
        visit(entity.view);
  }
  const Consumer* find_consumer(std::string_view id_or_username) const override {
    for (const StoredConsumer& consumer : world_.consumers)
      if (consumer.texts.id == id_or_username) return &consumer.view;
    for (const StoredConsumer& consumer : world_.consumers)
      if (consumer.texts.username == id_or_username) return &consumer.view;
    return nullptr;
  }

 private:
  World& world_;
};

class CtxPart final : public Ctx {
 public:
  explicit CtxPart(State& state) : state_(state) {}

 protected:
  void* object(const void* shared, std::string_view name, const ObjectType& type, bool make) override {
    for (const State::Object& object : state_.objects) {
      if (object.shared != (shared != nullptr) || object.name != name) continue;
      if (object.type == type.name) return object.at;
      if (shared != nullptr)
        throw std::logic_error("the shared object '" + object.name + "' has the type " + object.type + ", not " + type.name);
    }
    if (!make) return nullptr;
    auto memory = std::make_unique<unsigned char[]>(type.size + type.alignment);
    void* at = memory.get();
    std::size_t space = type.size + type.alignment;
    std::align(type.alignment, type.size, at, space);
    type.construct(at);
    state_.objects.push_back({shared != nullptr, std::string(name), type.name, std::move(memory), at, type.destroy});
    return at;
  }

 private:
  State& state_;
};

}  // namespace

State::State(World& w, const ClientRequest& r)
    : world(w), client(r), client_headers(r.headers), started_ms(w.clock.now_ms) {
  if (first_header(client_headers, "host").empty())
    client_headers.insert(client_headers.begin(), {"Host", r.host + ":" + std::to_string(r.port)});
  if (!r.body.empty() && first_header(client_headers, "content-length").empty())
    client_headers.emplace_back("Content-Length", std::to_string(r.body.size()));
  std::string buffer;
  path = gateway::normalize_path(gateway::path_of(r.target), buffer);
  const std::size_t mark = r.target.find('?');
  if (mark != std::string::npos) query = r.target.substr(mark + 1);
  to_upstream = {.method = r.method, .path = path, .query = query, .body = r.body, .headers = client_headers};
  clear_header(to_upstream.headers, "Host");
  for (const StoredConsumer& known : world.consumers)
    if (!r.consumer.empty() && known.texts.username == r.consumer) consumer = &known.view;
  if (!r.consumer.empty() && consumer == nullptr) throw std::invalid_argument("there is no consumer " + r.consumer);
}

void set_header(HeaderList& headers, std::string_view name, std::string_view value) {
  clear_header(headers, name);
  headers.emplace_back(name, value);
}

void clear_header(HeaderList& headers, std::string_view name) {
  std::erase_if(headers, [name](const auto& header) { return same_name(header.first, name); });
}

std::uint64_t bytes_of(const HeaderList& headers, std::size_t first_line, std::size_t body) {
  std::uint64_t bytes = first_line + 2 + 2 + body;
  for (const auto& [name, value] : headers) bytes += name.size() + 2 + value.size() + 2;
  return bytes;
}

std::string_view first_header(const HeaderList& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (equals_lower(key, ascii_lower(name))) return value;
  return {};
}

struct TestExchange::Parts {
  explicit Parts(State& s)
      : request(s), service_request(s), service(s), service_response(s), response(s), router(s), client(s), entities(s), ctx(s) {}
  RequestPart request;
  ServiceRequestPart service_request;
  ServicePart service;
  ServiceResponsePart service_response;
  ResponsePart response;
  RouterPart router;
  ClientPart client;
  EntitiesPart entities;
  CtxPart ctx;
};

TestExchange::TestExchange(State& state) : state_(state), parts_(std::make_unique<Parts>(state)) {}
TestExchange::~TestExchange() = default;
gibbon::Request& TestExchange::request() { return parts_->request; }
ServiceRequest& TestExchange::service_request() { return parts_->service_request; }
Service& TestExchange::service() { return parts_->service; }
ServiceResponse& TestExchange::service_response() { return parts_->service_response; }
gibbon::Response& TestExchange::response() { return parts_->response; }
Router& TestExchange::router() { return parts_->router; }
Client& TestExchange::client() { return parts_->client; }
Entities& TestExchange::entities() { return parts_->entities; }
Ctx& TestExchange::ctx() { return parts_->ctx; }

void TestExchange::begin_answer(const char* function, bool has_body) {
  if (has_body) {
    state_.require(function, {Phase::kRewrite, Phase::kAccess, Phase::kResponse});
  } else {
    state_.require(function, {Phase::kRewrite, Phase::kAccess, Phase::kResponse, Phase::kHeaderFilter});
  }
  if (state_.by_exit) throw std::logic_error(std::string(function) + "() was called for a request that is answered already");
  if (state_.now == Phase::kResponse || state_.now == Phase::kHeaderFilter)
    for (const auto& [name, value] : state_.from_upstream.headers) clear_header(state_.headers, name);
  state_.answered = state_.by_exit = true;
}

void TestExchange::exit(int status, std::string_view body, std::string_view content_type) {
  begin_answer("exit", !body.empty());
  state_.status = status;
  state_.chunks.assign(1, std::string(body));
  if (!body.empty() || !content_type.empty())
    set_header(state_.headers, "Content-Type", content_type.empty() ? "application/json; charset=utf-8" : content_type);
  set_header(state_.headers, "Content-Length", std::to_string(body.size()));
}

void TestExchange::error(int status, std::string_view message) {
  begin_answer("error", true);
  answer_with_message(state_, status, message);
}

PluginScope TestExchange::scope() const {
  state_.require("scope", kEveryRequestPhase);
  return {.plugin_id = "0b1c2d3e-4f5a-4b6c-8d7e-9f0a1b2c3d4e", .service_id = {}, .route_id = {}, .consumer_id = {}};
}

Timings TestExchange::timings() const {
  state_.require("timings", {Phase::kLog});
  const ClientRequest& client = state_.client;
  Timings timings;
  timings.request_ms = timings.gateway_ms = state_.world.clock.now_ms - state_.started_ms;
  if (state_.reached_upstream) timings.upstream_ms = 0;
  timings.bytes_received = bytes_of(state_.client_headers, (client.method + client.target + client.protocol).size() + 2,
                                    client.body.size());
  timings.bytes_sent = bytes_of(state_.headers, std::string_view("HTTP/1.1 200 OK").size(), state_.sent.size());
  return timings;
}

void TestExchange::record(const RecordLimits& limits) {
  state_.require("record", {Phase::kLog});
  if (state_.recorded) throw std::logic_error("record() was called before in this phase");
  state_.recorded = true;
  deliver_record(state_, *this, limits);
}

void TestExchange::set_serialize_value(std::string_view path, std::string_view json) {
  state_.require("set_serialize_value", kEveryRequestPhase);
  state_.serialized.emplace_back(path, json);
}

void TestExchange::enqueue(std::string_view entry) {
  state_.require("enqueue", kEveryRequestPhase);
  deliver_entry(state_, entry);
}

void answer_with_message(State& state, int status, std::string_view message) {
  const gateway::MediaType type = gateway::preferred_type(first_header(state.client_headers, "accept"));
  state.status = status;
  state.chunks.assign(1, gateway::ErrorTemplates().render(type, message, state.id));
  set_header(state.headers, "Content-Type", gateway::content_type_of(type));
  set_header(state.headers, "Content-Length", std::to_string(state.chunks[0].size()));
}

}  // namespace gibbon::testing
