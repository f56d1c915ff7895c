#include "gateway/nginx/probes.hpp"

#include <algorithm>

namespace gibbon::nginx {
namespace {

/// How often intervals are looked at, in milliseconds: as often as Kong does.
constexpr ngx_msec_t kTickMs = 100;

using Type = config::Healthcheck::Type;

bool is_tls(Type type) { return type == Type::kHttps || type == Type::kGrpcs; }

bool is_active(const config::Upstream& upstream) {
  return upstream.active.healthy_interval_s > 0 || upstream.active.unhealthy_interval_s > 0;
}

/// What a probe is called at the target: the upstream's host_header, or the target's host.
const std::string& host_of(const config::Upstream& upstream, const gateway::Peer& peer) {
  return upstream.host_header.empty() ? peer.host : upstream.host_header;
}

std::string request_text(const config::Upstream& upstream, const gateway::Peer& peer) {
  std::string text = "GET " + upstream.active.http_path + " HTTP/1.0\r\n";
  for (const auto& [name, values] : upstream.active.headers)
    for (const std::string& value : values) text.append(name).append(": ").append(value).append("\r\n");
  return text.append("Host: ").append(host_of(upstream, peer)).append("\r\n\r\n");
}

}  // namespace

struct Probes::Probe {
  gateway::Peer* peer = nullptr;
  std::unique_ptr<OutgoingCall> call;
  ~Probe() { peer->release(); }
};

Probes::Round::~Round() {
  for (gateway::Peer* peer : waiting) peer->release();
}

Probes::Probes(Upstreams& upstreams, MainConf& conf, ngx_log_t* log)
    : upstreams_(upstreams), conf_(conf), log_(log) {
  timer_.handler = on_tick;
  timer_.data = this;
  timer_.log = log;
  timer_.cancelable = 1;
}

Probes::~Probes() { stop(); }

void Probes::start() {
  if (!timer_.timer_set) tick();
}

void Probes::stop() {
  if (timer_.timer_set) ngx_del_timer(&timer_);
  checked_.clear();
}

void Probes::on_tick(ngx_event_t* event) noexcept {
  auto& self = *static_cast<Probes*>(event->data);
  try {
    self.tick();
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_ERR, self.log_, 0, "gibbon: health checks: %s", e.what());
  }
}

void Probes::tick() {
  const std::int64_t now = now_ms();
  follow_configuration(now);
  for (auto& [id, checked] : checked_) {
    const config::ActiveHealthcheck& check = checked->host->balancer().upstream().active;
    begin_round(*checked, checked->healthy, check.healthy_interval_s, now,
                [](config::Health health) { return health.available(); });
    begin_round(*checked, checked->unhealthy, check.unhealthy_interval_s, now,
                [](config::Health health) { return !health.available(); });
  }
  // Without anything to probe, the worker's own, slower tick looks again.
  if (!checked_.empty() && !ngx_exiting) ngx_add_timer(&timer_, kTickMs);
}

void Probes::follow_configuration(std::int64_t now) {
  std::unordered_map<std::string, std::pair<std::int64_t, std::int64_t>>
      began;  // Changes do not put probes off.
  std::erase_if(checked_, [&](const auto& entry) {
    const auto found = upstreams_.all().find(entry.first);
    const Checked& checked = *entry.second;
    const bool stays = found != upstreams_.all().end() && found->second == checked.host &&
                       found->second->fingerprint() == checked.fingerprint &&
                       is_active(found->second->balancer().upstream());
    if (!stays) began.emplace(entry.first, std::pair(checked.healthy.began_ms, checked.unhealthy.began_ms));
    return !stays;
  });
  for (const auto& [id, host] : upstreams_.all()) {
    const config::Upstream& upstream = host->balancer().upstream();
    if (!is_active(upstream) || checked_.contains(id)) continue;
    auto checked = std::make_unique<Checked>();
    checked->host = host;
    checked->fingerprint = host->fingerprint();
    const auto before = began.find(id);
    checked->healthy.began_ms = before != began.end() ? before->second.first : now;
    checked->unhealthy.began_ms = before != began.end() ? before->second.second : now;
    if (is_tls(upstream.active.type)) {
      const auto& [certificate, key] = host->client_certificate();
      checked->tls = OutgoingTls::make(conf_.trusted_certificates, certificate, key, log_);
    }
    checked_.emplace(id, std::move(checked));
  }
}

void Probes::begin_round(Checked& checked, Round& round, double interval_s, std::int64_t now,
                         bool (*wanted)(config::Health)) {
  const bool due = interval_s > 0 && now - round.began_ms >= static_cast<std::int64_t>(interval_s * 1000);
  if (!due || !round.waiting.empty() || !round.running.empty()) return;
  round.began_ms = now;
  for (const gateway::Balancer::Target& target : checked.host->balancer().targets()) {
    for (gateway::Peer* peer : target.peers) {
      if (peer->health == nullptr || !wanted(config::HealthTable::health(*peer->health))) continue;
      peer->retain();
      round.waiting.push_back(peer);
    }
  }
  run_waiting(checked, round);
}

void Probes::run_waiting(Checked& checked, Round& round) {
  const std::uint32_t most = std::max(1U, checked.host->balancer().upstream().active.concurrency);
  while (!round.waiting.empty() && round.running.size() < most) {
    auto probe = std::make_unique<Probe>();
    probe->peer = round.waiting.front();
    round.waiting.pop_front();
    Probe* const started = probe.get();
    round.running.push_back(std::move(probe));
    started->call = std::make_unique<OutgoingCall>(
        plan(checked, *started->peer),
        [this, &checked, &round, started](const OutgoingCall::Outcome& outcome) {
          report(*checked.host, *started->peer, outcome);
          std::erase_if(round.running, [&](const auto& each) { return each.get() == started; });
          run_waiting(checked, round);
        },
        log_);
  }
}

OutgoingCall::Plan Probes::plan(Checked& checked, const gateway::Peer& peer) {
  const config::Upstream& upstream = checked.host->balancer().upstream();
  const config::ActiveHealthcheck& check = upstream.active;
  OutgoingCall::Plan plan;
  plan.address_length = peer.address.to_sockaddr(peer.port, &plan.address);
  plan.name = peer.name;
  plan.timeout_ms = std::max<ngx_msec_t>(1, static_cast<ngx_msec_t>(check.timeout_s * 1000));
  using Goal = OutgoingCall::Goal;
  plan.goal = check.type == Type::kTcp || check.type == Type::kGrpc ? Goal::kConnection
              : check.type == Type::kGrpcs                          ? Goal::kHandshake
                                                                    : Goal::kStatus;
  if (is_tls(check.type)) {
    plan.tls = checked.tls.get();
    plan.server_name = check.https_sni.empty() ? host_of(upstream, peer) : check.https_sni;
    plan.verify =
        check.https_verify_certificate ? OutgoingCall::Verify::kChainAndName : OutgoingCall::Verify::kNothing;
  }
  if (plan.goal == Goal::kStatus) plan.request = request_text(upstream, peer);
  return plan;
}

void Probes::report(BalancedHost& host, gateway::Peer& peer, const OutgoingCall::Outcome& outcome) {
  if (peer.retired || peer.health == nullptr || upstreams_.health() == nullptr) return;
  const config::Upstream& upstream = host.balancer().upstream();
  const config::ActiveHealthcheck& check = upstream.active;
  using End = OutgoingCall::Outcome::End;
  config::HealthReport report{};
  if (outcome.end == End::kTimedOut) {
    report = {config::Health::Event::kTimeout, check.timeouts};
  } else if (outcome.end == End::kFailed) {
    report = {config::Health::Event::kTcpFailure, check.tcp_failures};
  } else if (check.type == Type::kHttp || check.type == Type::kHttps) {
    report = config::status_report(check, outcome.status);
  } else {
    report = {config::Health::Event::kSuccess, check.successes};
  }
  if (!upstreams_.health()->report(*peer.health, report)) return;
  const bool healthy = config::HealthTable::health(*peer.health).available();
  ngx_log_error(NGX_LOG_WARN, log_, 0, "upstream %s: target %s (%s) is %s: %s", upstream.name.c_str(),
                peer.host.c_str(), peer.name.c_str(), healthy ? "healthy again" : "unhealthy",
                outcome.problem.empty() ? ("status " + std::to_string(outcome.status)).c_str()
                                        : outcome.problem.c_str());
}

}  // namespace gibbon::nginx
