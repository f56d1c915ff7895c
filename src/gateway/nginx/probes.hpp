#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/nginx/outgoing_call.hpp"
#include "gateway/nginx/upstreams.hpp"

namespace gibbon::nginx {

/// Active health checks: asks the targets of all upstreams that have them, each in its interval, and reports
/// to the health table. One worker of the gateway does it at a time. Event thread.
class Probes {
 public:
  Probes(Upstreams& upstreams, MainConf& conf, ngx_log_t* log);
  ~Probes();
  Probes(const Probes&) = delete;

  /// Begins, or goes on: this worker probes. A first probe comes after an interval.
  void start();
  /// Ends all probes where they stand.
  void stop();

 private:
  struct Probe;
  /// The probes of one upstream's healthy targets, or of its unhealthy ones.
  struct Round {
    std::int64_t began_ms = 0;
    std::deque<gateway::Peer*> waiting;  ///< Each with a reference.
    std::vector<std::unique_ptr<Probe>> running;
    ~Round();
  };
  struct Checked {
    std::shared_ptr<BalancedHost> host;
    std::uint64_t fingerprint = 0;
    std::unique_ptr<OutgoingTls> tls;
    Round healthy, unhealthy;
  };

  static void on_tick(ngx_event_t* event) noexcept;
  void tick();
  void follow_configuration(std::int64_t now);
  void begin_round(Checked& checked, Round& round, double interval_s, std::int64_t now,
                   bool (*wanted)(config::Health));
  void run_waiting(Checked& checked, Round& round);
  OutgoingCall::Plan plan(Checked& checked, const gateway::Peer& peer);
  void report(BalancedHost& host, gateway::Peer& peer, const OutgoingCall::Outcome& outcome);

  Upstreams& upstreams_;
  MainConf& conf_;
  ngx_log_t* log_;
  ngx_event_t timer_{};
  std::unordered_map<std::string, std::unique_ptr<Checked>> checked_;  ///< By upstream id.
};

}  // namespace gibbon::nginx
