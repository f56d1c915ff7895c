#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/capture/body_capture.hpp"
#include "gateway/chain/runtime.hpp"
#include "gateway/nginx/kit/exchange.hpp"
#include "gateway/nginx/ngx.hpp"
#include "gateway/nginx/tries.hpp"
#include "gateway/nginx/upstream_target.hpp"
#include "gateway/request/arguments.hpp"

namespace gibbon::nginx {

/// An answer that the gateway gives itself.
struct LocalAnswer {
  int status = 0;  ///< 0: none.
  bool by_exit = false;  ///< A plugin's exit().
  ngx_str_t body{}, content_type{};
};

/// The headers that tell the upstream where a request came from. Empty ones are not sent.
struct Forwarded {
  std::string_view via, for_, proto, host, port, path, prefix, request_id, real_ip;
};

/// A group of the route's regular path.
struct UriCapture {
  std::string_view name, value;  ///< name: empty where it has none. value: empty where it took no part.
};

/// How long a plugin lets the upstream take, in milliseconds.
struct UpstreamTimeouts {
  ngx_msec_t connect, write, read;
};

/// What set_serialize_value() has set, in its order.
struct SetValue {
  std::string_view path, json;
  SetValue* next = nullptr;
};

/// A peer that the request was sent to, for its record.
struct NotedTry {
  std::uint64_t started_ns = 0, latency_ns = 0;
  const sockaddr* address = nullptr;
  socklen_t address_length = 0;
  std::uint16_t code = 0;
  Try::State state = Try::State::kAnswered;
};

/// How far a request has come on its way to the upstream.
enum class Stage : std::uint8_t { kNew, kRouted, kResolving, kReadingBody, kForwarded };

/// A handler that waits. Lives as long as the request, whose end destroys the coroutine.
struct PluginWait {
  Task<> task;
  const gateway::ChainItem* item = nullptr;
  ngx_event_t limit{};  ///< Ends it: settings' plugin_wait_timeout.
};

/// The answer's body, where it is kept back: for the response phase, or since a plugin wants it in one piece.
struct HeldResponse {
  enum class Why : std::uint8_t {
    kNot,
    kResponsePhase,  ///< The head as well: it is sent with the body.
    kOnePiece,       ///< The head was sent.
    kDropped,        ///< A plugin's header_filter has answered in its place, without a body.
  } why = Why::kNot;
  bool complete = false;   ///< All of it is there.
  std::string bytes;
  const gateway::ChainItem* set_by = nullptr;  ///< Whose handler has set another body.
};

/// All that Gibbon knows of one request. Made in the request's pool by the phase that first sees it, and destroyed
/// with the pool, after the log phase. It pins the generation of the configuration that it began with.
/// Threads: the event thread.
class Context final : public Caller {
 public:
  /// The request's context; made where there is none yet. Null without memory, and in servers that are not ours.
  static Context* of(ngx_http_request_t* r) noexcept;
  /// The same, but null where there is none yet.
  static Context* find(ngx_http_request_t* r) noexcept;

  Context(ngx_http_request_t* request, gateway::Runtime* runtime);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // Caller
  [[nodiscard]] const PluginDescriptor* plugin() const override { return current != nullptr ? current->plugin : nullptr; }
  [[nodiscard]] Phase phase() const override { return now; }
  [[nodiscard]] ngx_log_t* log() const override { return r->connection->log; }
  void resume(std::coroutine_handle<> waiting) noexcept override;

  /// The chain of the matched route; the global one before a match and without one.
  [[nodiscard]] const gateway::Chain& chain() const { return *chain_; }
  void set_chain(const gateway::Chain* chain) { chain_ = chain; }
  [[nodiscard]] capture::Arena arena() const;
  /// The request's id as the client and the upstream see it: 32 hexadecimal digits.
  [[nodiscard]] std::string_view request_id() const { return {request_id_text_.data(), request_id_text_.size()}; }
  [[nodiscard]] const std::array<std::uint8_t, 16>& request_id_bytes() const { return request_id_; }
  /// Whether no record may show the value of a header of this name.
  [[nodiscard]] bool is_secret_header(std::string_view name) const;

  ngx_http_request_t* r;
  gateway::Runtime* runtime;  ///< Null before the first configuration has arrived.
  ExchangeAdapter exchange;

  // The match. Null where nothing matched, or where the route has no service.
  const config::Route* route = nullptr;
  const config::Service* service = nullptr;
  UpstreamTarget* target = nullptr;
  std::shared_ptr<UpstreamTarget> chosen_target;  ///< The same, where a plugin has chosen it.
  std::int32_t chosen_retries = -1;               ///< -1: the service's.
  const UpstreamTimeouts* chosen_timeouts = nullptr;  ///< Null: the service's.
  std::uint32_t route_index = UINT32_MAX;  ///< As Match::route; UINT32_MAX: no route.

  Stage stage = Stage::kNew;
  std::uint32_t next_access = 0;  ///< The plugins before this one (ChainItem::ordinal) have had their access phase.
  bool access_done = false;       ///< The access chain has run.
  bool proxied = false;           ///< A peer was asked for.
  bool grpc = false;
  bool websocket = false;         ///< The client asks for an upgrade, and the upstream is asked for it too.
  bool wants_trailers = false;    ///< The client's TE says so.
  bool headers_filtered = false;  ///< The header filter has run.
  bool kept_alive = false;        ///< What the head told the client; nginx forgets it before the log phase.
  LocalAnswer answer;
  const gateway::ChainItem* current = nullptr;  ///< The plugin whose handler runs.
  Phase now = Phase::kRewrite;    ///< The phase that runs, or ran last.
  std::uint32_t next_rewrite = 0, next_response = 0;  ///< As next_access.
  PluginWait wait;                ///< The coroutine that the request waits for.
  HeldResponse held;

  ngx_str_t method{};             ///< The client's; nginx makes it GET for error pages.
  ngx_str_t client_target{};      ///< The request target as it was sent.
  ngx_str_t logged_target{};      ///< The same without secrets; empty where it has none.
  std::string_view matched_prefix;  ///< Of the path, where the route strips it.
  ngx_list_t client_headers{};    ///< As they were sent, once the upstream gets other ones.
  bool headers_replaced = false;
  bool body_read = false;         ///< All of the client's body has come.
  bool body_replaced = false;     ///< The upstream gets another one. From here on:
  off_t client_body_length = -1;  ///< As the client declared it.
  ngx_table_elt_t* client_content_length = nullptr;
  ngx_chain_t* client_body = nullptr;  ///< As it came.
  std::string_view body_text, client_body_text;  ///< See request_body() and client_request_body().
  std::vector<gateway::Piece> hidden_pieces;  ///< Of the body: no record shows them.

  ngx_str_t upstream_uri{}, upstream_headers{}, upstream_host{};
  ngx_str_t upstream_method_name{};
  ngx_uint_t upstream_method = 0;  ///< As nginx numbers it; 0: the client's.
  ngx_uint_t client_method = 0;    ///< While the request line is lent: see lend_request_line().
  bool line_lent = false;
  Forwarded forwarded;            ///< For gRPC alone: HTTP/1 sends upstream_headers.
  Tries* tries = nullptr;         ///< The peers that it is sent to.
  NotedTry* noted_tries = nullptr;  ///< record::kMaxTries of them, made with the first.
  std::uint32_t noted_count = 0;
  SetValue *first_value = nullptr, *last_value = nullptr;
  BalancedHost* waits_for = nullptr;  ///< Whose first address it waits for.
  const gateway::Peer* rendered_for = nullptr;  ///< Whose name upstream_host is.
  bool no_peer = false;           ///< A try failed, and no other peer is left.
  std::string_view consumer_id;   ///< Of the consumer that was authenticated; empty: none is known.
  std::uint32_t path_pattern = gateway::kNone;  ///< The route's regular path that matched.
  std::span<const UriCapture> captures;  ///< See uri_captures().
  bool captures_known = false;
  ngx_str_t hash_cookie{};        ///< Set-Cookie's value, where the upstream hashes on a cookie that was missing.

  std::int64_t proxy_started_ms = -1, upstream_header_ms = -1;
  capture::BodyCapture request_body, response_body;

 private:
  const gateway::Chain* chain_;
  std::array<std::uint8_t, 16> request_id_;
  std::array<char, 32> request_id_text_;
};

/// As of now: see the plugin kit.
Timings timings_of(const Context& ctx);

/// As `record` in the plugin kit: copies the exchange into the worker's ring.
void record_exchange(Context& ctx, const gateway::ChainItem& item, const Exchange::RecordLimits& limits) noexcept;
/// As `enqueue` in the plugin kit.
void record_entry(Context& ctx, const gateway::ChainItem& item, std::string_view entry) noexcept;

}  // namespace gibbon::nginx
