#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/health_table.hpp"
#include "gateway/balancer/balancer.hpp"
#include "gateway/chain/runtime.hpp"
#include "gateway/nginx/names.hpp"

namespace gibbon::nginx {

class Context;
class Upstreams;

/// What a service's host stands for in this worker: the targets of an upstream, or the addresses of one host.
/// It follows its names, and lets requests wait for their first answer. Event thread, but for references,
/// which the generations of the configuration may drop on the loader's thread: the last one is always
/// Upstreams'.
class BalancedHost final : public NameListener {
 public:
  enum class Kind { kUpstream, kHost };
  BalancedHost(Upstreams& owner, Kind kind, std::uint64_t seed);
  ~BalancedHost();
  BalancedHost(const BalancedHost&) = delete;
  BalancedHost& operator=(const BalancedHost&) = delete;

  void configure(const gateway::UpstreamPlan& plan);
  [[nodiscard]] std::uint64_t fingerprint() const { return fingerprint_; }
  [[nodiscard]] Kind kind() const { return kind_; }
  gateway::Balancer& balancer() { return balancer_; }
  /// Certificate and key for health checks, PEM.
  [[nodiscard]] const std::pair<std::string, std::string>& client_certificate() const {
    return client_certificate_;
  }

  /// A request used it: its names are kept fresh.
  void touch() { used_ = true; }
  /// Asks for names that have no answer or an old one. `now` in seconds.
  void refresh(time_t now);
  /// Once a second or so: as refresh(), for hosts that are in use.
  void tick(time_t now);
  /// Some name's question is under way that could bring a peer.
  [[nodiscard]] bool asking() const;

  /// The request sleeps until an answer is there; then its phases run again.
  void wait(Context& ctx) { waiting_.push_back(&ctx); }
  void stop_waiting(Context& ctx) { std::erase(waiting_, &ctx); }
  /// Runs the phases of those that wait now.
  void wake();

  void name_answered(Name& name) override;

 private:
  Upstreams& owner_;
  Kind kind_;
  gateway::Balancer balancer_;
  std::uint64_t fingerprint_ = 0;
  std::pair<std::string, std::string> client_certificate_;
  std::vector<std::shared_ptr<Name>> names_;  ///< Per target; null where its host is an address.
  std::vector<Context*> waiting_;
  bool used_ = true;
};

/// All balanced hosts of this worker. Event thread.
class Upstreams {
 public:
  /// `health`: null where there is no table. Both must outlive it.
  Upstreams(MainConf& conf, config::HealthTable* health, ngx_log_t* log);
  ~Upstreams();
  Upstreams(const Upstreams&) = delete;

  /// Follows a new generation: upstreams that did not change are left alone.
  void apply(const gateway::Runtime& runtime);
  std::shared_ptr<BalancedHost> upstream(const gateway::UpstreamPlan& plan);
  /// A host that is no upstream's name.
  std::shared_ptr<BalancedHost> host(const std::string& name, std::uint16_t port);
  /// A few times a second.
  void tick();

  /// Targets with names, as they stand, where they changed since the last call: for the agent.
  struct Changed {
    std::string upstream_id;
    std::vector<config::TargetView> views;
  };
  std::vector<Changed> take_changes();
  /// `changed` is called soon after a target's addresses have changed, when no request is in the midst of
  /// something.
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }
  /// Lets take_changes() tell everything anew: this worker has not told it before.
  void forget_told() { told_.clear(); }

  /// Upstreams, for health checks.
  [[nodiscard]] const std::unordered_map<std::string, std::shared_ptr<BalancedHost>>& all() const {
    return upstreams_;
  }

  Names& names() { return names_; }
  config::HealthTable* health() { return health_; }
  /// Lets `host` wake its requests once the current event is done.
  void wake_later(BalancedHost& host);
  void wake_no_more(BalancedHost& host);

 private:
  static void run_wakes(ngx_event_t* event) noexcept;
  void sweep();

  config::HealthTable* health_;
  Names names_;
  std::uint64_t seed_;
  std::uint64_t fingerprint_ = 0;       ///< Of the upstreams that were applied last.
  std::vector<BalancedHost*> to_wake_;  // Before the hosts, which leave it when they end.
  std::unordered_map<std::string, std::shared_ptr<BalancedHost>> upstreams_;  ///< By id.
  std::unordered_map<std::string, std::shared_ptr<BalancedHost>> hosts_;      ///< By "host:port".
  std::vector<std::shared_ptr<BalancedHost>> dropped_;   ///< Not configured any more, but perhaps in use.
  std::unordered_map<std::string, std::uint64_t> told_;  ///< Versions, by upstream id.
  ngx_event_t wake_event_{};
  std::function<void()> changed_;
  time_t swept_ = 0;
};

}  // namespace gibbon::nginx
