#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "gateway/balancer/balancer.hpp"
#include "gateway/nginx/ngx.hpp"
#include "gateway/nginx/upstreams.hpp"

namespace gibbon::nginx {

class Context;

/// The peers that one request is sent to, one after the other, and what is reported of each. Made in the
/// request's pool; the context ends it. Event thread.
class Tries {
 public:
  /// Null without memory. At most `most` peers are left for another one; `hash`: of what the upstream hashes
  /// on.
  static Tries* make(ngx_pool_t* pool, BalancedHost& host, std::size_t most,
                     std::optional<std::uint64_t> hash);
  ~Tries();
  Tries(const Tries&) = delete;
  Tries& operator=(const Tries&) = delete;

  /// The peer that was picked last; null before the first.
  [[nodiscard]] gateway::Peer* peer() const { return current_; }
  /// The peer to go to now: the one that was picked, where it may still be used and the request has not been
  /// there, else the next. Null where there is none.
  gateway::Peer* next();
  /// nginx goes to the peer now.
  void begun() { state_ = State::kUnderWay; }
  /// nginx is done with the peer. `failed`: it could not be asked, or did not answer; `reused`: over a
  /// connection that was kept from before.
  enum class End : std::uint8_t { kAnswered, kFailed, kFailedOnReused };
  void ended(End end);

  /// Whether the peer that was asked last gave no answer.
  [[nodiscard]] bool failed() const { return state_ == State::kFailed || state_ == State::kFailedOnReused; }

  /// Reports what became of the current try to the health checks: nginx's status for it (502, 504 where there
  /// was no answer; 0 where the client left before one), and how long it took.
  void report(int status, double latency_ms);
  /// The same where no other try follows. As Kong does, a 502 or 503 that the passive checks count is one
  /// here, though it is nginx's own.
  void report_last(int status, double latency_ms);

 private:
  enum class State : std::uint8_t { kPicked, kUnderWay, kAnswered, kFailed, kFailedOnReused };
  Tries(BalancedHost& host, gateway::Peer** left, std::size_t most, std::optional<std::uint64_t> hash)
      : host_(host), left_(left), most_left_(most), hash_(hash) {}
  void leave_current();

  BalancedHost& host_;
  gateway::Peer* current_ = nullptr;
  bool counted_ = false;  ///< current_ counts this request among its connections.
  State state_ = State::kPicked;
  gateway::Peer** left_;  ///< Those that it was sent to before, each with a reference.
  std::size_t left_count_ = 0, most_left_;
  std::optional<std::uint64_t> hash_;
};

/// Access phase: picks the request's first peer. NGX_OK: ctx.tries has it. NGX_AGAIN: no address is known
/// yet; the request sleeps and its phases run again. NGX_DECLINED: there is no peer. NGX_ERROR: no memory.
ngx_int_t choose_peer(Context& ctx);
/// How many more peers are tried after the first.
std::uint32_t upstream_retries(const Context& ctx);
/// Sets ctx.upstream_host for the peer that ctx.tries has: what the Host header says.
void set_upstream_host(Context& ctx);
/// The upstream's name for TLS: SNI, and what its certificate is checked for.
std::string_view upstream_host_name(Context& ctx);
/// Log phase: reports the last try.
void report_last_try(Context& ctx) noexcept;

}  // namespace gibbon::nginx
