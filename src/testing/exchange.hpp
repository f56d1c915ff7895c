#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "testing/world.hpp"

/// One request of a tested gateway, as its plugin sees it.
namespace gibbon::testing {

/// What the phases of one request share.
struct State {
  State(World& w, const ClientRequest& r);

  World& world;
  const ClientRequest& client;
  Phase now = Phase::kRewrite;
  std::string_view keep(std::string text) { return kept.emplace_back(std::move(text)); }
  void require(const char* function, Phases allowed) const {
    if (!allowed.has(now)) throw PhaseError(function, now, allowed);
  }

  std::deque<std::string> kept;  ///< What views point to.
  HeaderList client_headers;
  std::string id = "0123456789abcdef0123456789abcdef";
  std::string path, query;  ///< Normalised; as it was sent.
  std::int64_t started_ms;
  bool body_was_read = false;

  UpstreamRequest to_upstream;

  int status = 0;
  HeaderList headers;  ///< Of the answer.
  std::vector<std::string> chunks;
  std::string sent;  ///< What has passed the body filters.
  bool answered = false, by_exit = false, reached_upstream = false, holds_body = false, body_was_set = false;
  bool chunk_was_replaced = false;
  UpstreamAnswer from_upstream;

  const Consumer* consumer = nullptr;
  const EntityView* credential = nullptr;
  std::vector<std::string_view> groups;

  std::size_t request_capture = 0, response_capture = 0;
  bool captures_request = false, captures_response = false;
  std::vector<std::string> hidden_body_fields;
  std::vector<std::pair<std::string, std::string>> serialized;
  bool recorded = false;
  std::vector<std::string> entries;

  struct Object {
    bool shared;
    std::string name;
    std::string type;
    std::unique_ptr<unsigned char[]> memory;
    void* at;
    void (*destroy)(void*);
  };
  std::deque<Object> objects;
  ~State() {
    for (auto object = objects.rbegin(); object != objects.rend(); ++object) object->destroy(object->at);
  }
};

void set_header(HeaderList& headers, std::string_view name, std::string_view value);
void clear_header(HeaderList& headers, std::string_view name);
/// On the wire: the lines of a head, and the body behind it.
std::uint64_t bytes_of(const HeaderList& headers, std::size_t first_line, std::size_t body);
std::string_view first_header(const HeaderList& headers, std::string_view name);

class TestExchange final : public Exchange {
 public:
  explicit TestExchange(State& state);
  ~TestExchange();
  [[nodiscard]] Phase phase() const override { return state_.now; }
  gibbon::Request& request() override;
  ServiceRequest& service_request() override;
  Service& service() override;
  ServiceResponse& service_response() override;
  gibbon::Response& response() override;
  Router& router() override;
  Client& client() override;
  Entities& entities() override;
  Ctx& ctx() override;
  Node& node() override { return state_.world; }
  Log& log() override { return state_.world; }
  void exit(int status, std::string_view body, std::string_view content_type) override;
  void error(int status, std::string_view message) override;
  [[nodiscard]] PluginScope scope() const override;
  [[nodiscard]] Timings timings() const override;
  void record(const RecordLimits& limits) override;
  void set_serialize_value(std::string_view path, std::string_view json) override;
  void enqueue(std::string_view entry) override;
  Wait<void> sleep(std::chrono::milliseconds time) override { return wait_sleep(state_.world, state_.now, time); }
  Wait<HttpResponse> http(HttpRequest request) override { return wait_http(state_.world, state_.now, std::move(request)); }
  Wait<std::vector<std::string>> resolve(std::string n) override { return wait_resolve(state_.world, state_.now, std::move(n)); }
  Wait<std::unique_ptr<Socket>> connect(ConnectOptions o) override {
    return wait_connect(state_.world, state_.now, std::move(o));
  }

 private:
  void begin_answer(const char* function, bool has_body);
  State& state_;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Kong's error body, in the type that the client prefers, as the answer.
void answer_with_message(State& state, int status, std::string_view message);

/// The delivery half: what the log endpoint gets.
void deliver_record(State& state, const Exchange& exchange, const Exchange::RecordLimits& limits);
void deliver_entry(State& state, std::string_view entry);

}  // namespace gibbon::testing
