#include "gateway/nginx/upstreams.hpp"

#include "base/hash.hpp"
#include "gateway/nginx/context.hpp"

namespace gibbon::nginx {
namespace {

/// How often what nobody uses is looked for, in seconds.
constexpr time_t kSweepSeconds = 10;

}  // namespace

// ---- BalancedHost
// ----------------------------------------------------------------------------------------------

BalancedHost::BalancedHost(Upstreams& owner, Kind kind, std::uint64_t seed)
    : owner_(owner), kind_(kind), balancer_(kind == Kind::kUpstream ? owner.health() : nullptr, seed) {}

BalancedHost::~BalancedHost() {
  owner_.wake_no_more(*this);
  for (const auto& name : names_)
    if (name != nullptr) name->unlisten(this);
}

void BalancedHost::configure(const gateway::UpstreamPlan& plan) {
  const std::vector<config::TargetPlan>& targets = plan.targets;
  fingerprint_ = plan.fingerprint;
  client_certificate_ = {plan.client_certificate, plan.client_key};
  const std::vector<std::shared_ptr<Name>> before = std::move(names_);
  names_.clear();
  balancer_.configure(plan.upstream, targets);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (const auto literal = gateway::Address::parse(targets[i].host)) {
      names_.push_back(nullptr);
      if (balancer_.targets()[i].peers.empty())
        balancer_.set_answer(i, gateway::HostAnswer::literal(*literal));
      continue;
    }
    names_.push_back(owner_.names().find(targets[i].host));
    const gateway::HostAnswer& known = names_.back()->answer();
    if (balancer_.targets()[i].answer.kind == gateway::HostAnswer::Kind::kUnknown)
      balancer_.set_answer(i, known);
  }
  for (const auto& name : before)
    if (name != nullptr) name->unlisten(this);
  for (const auto& name : names_) {
    if (name == nullptr) continue;
    name->unlisten(this);  // Several targets may share a host.
    name->listen(this);
  }
  refresh(ngx_time());
  owner_.wake_later(*this);
}

void BalancedHost::refresh(time_t now) {
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (names_[i] != nullptr) names_[i]->refresh(now);
}

void BalancedHost::tick(time_t now) {
  balancer_.keep_health();
  if (kind_ == Kind::kHost && !used_) return;
  used_ = false;
  refresh(now);
}

bool BalancedHost::asking() const {
  for (const auto& name : names_)
    if (name != nullptr && name->asking() && name->answer().endpoints.empty()) return true;
  return false;
}

void BalancedHost::name_answered(Name& name) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i].get() != &name) continue;
    const gateway::HostAnswer& before = balancer_.targets()[i].answer;
    if (before.kind != name.answer().kind || before.error != name.answer().error ||
        before.endpoints != name.answer().endpoints)
      balancer_.set_answer(i, name.answer());
  }
  owner_.wake_later(*this);
}

void BalancedHost::wake() {
  // Those that wait anew meanwhile are not meant; those whose request ends meanwhile leave the list by
  // themselves.
  for (std::size_t left = waiting_.size(); left > 0 && !waiting_.empty(); --left) {
    Context& ctx = *waiting_.front();
    waiting_.erase(waiting_.begin());
    ngx_http_request_t* r = ctx.r;
    ngx_connection_t* c = r->connection;
    ctx.waits_for = nullptr;
    ctx.stage = Stage::kRouted;
    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
  }
}

// ---- Upstreams
// -------------------------------------------------------------------------------------------------

Upstreams::Upstreams(MainConf& conf, config::HealthTable* health, ngx_log_t* log)
    : health_(health), names_(conf, log), seed_(mix_bits(static_cast<std::uint64_t>(ngx_pid))) {
  wake_event_.handler = run_wakes;
  wake_event_.data = this;
  wake_event_.log = log;
}

Upstreams::~Upstreams() {
  if (wake_event_.posted) {
    ngx_delete_posted_event(&wake_event_);
  }
}

void Upstreams::apply(const gateway::Runtime& runtime) {
  // Most changes are to other things.
  if (runtime.upstreams_fingerprint() == fingerprint_) return;
  fingerprint_ = runtime.upstreams_fingerprint();
  std::unordered_map<std::string, std::shared_ptr<BalancedHost>> before = std::move(upstreams_);
  upstreams_.clear();
  for (const gateway::UpstreamPlan& plan : runtime.upstreams()) {
    std::shared_ptr<BalancedHost>& host = upstreams_[plan.upstream.id];
    if (const auto known = before.find(plan.upstream.id); known != before.end()) {
      host = std::move(known->second);
      before.erase(known);
    } else {
      host = std::make_shared<BalancedHost>(*this, BalancedHost::Kind::kUpstream, ++seed_);
    }
    if (host->fingerprint() != plan.fingerprint) host->configure(plan);
  }
  for (auto& [id, gone] : before) dropped_.push_back(std::move(gone));
}

std::shared_ptr<BalancedHost> Upstreams::upstream(const gateway::UpstreamPlan& plan) {
  if (const auto found = upstreams_.find(plan.upstream.id); found != upstreams_.end()) return found->second;
  // A request of an older generation, whose upstream is gone.
  auto host = std::make_shared<BalancedHost>(*this, BalancedHost::Kind::kUpstream, ++seed_);
  host->configure(plan);
  dropped_.push_back(host);
  return host;
}

std::shared_ptr<BalancedHost> Upstreams::host(const std::string& name, std::uint16_t port) {
  const std::string key = name + ':' + std::to_string(port);
  std::shared_ptr<BalancedHost>& host = hosts_[key];
  if (host == nullptr) {
    host = std::make_shared<BalancedHost>(*this, BalancedHost::Kind::kHost, ++seed_);
    gateway::UpstreamPlan plan;
    plan.targets = {{key, name, port, 100}};
    plan.fingerprint = 1;
    host->configure(plan);
  }
  return host;
}

void Upstreams::tick() {
  const time_t now = ngx_time();
  for (const auto& [id, host] : upstreams_) host->tick(now);
  for (const auto& [key, host] : hosts_) host->tick(now);
  if (now - swept_ >= kSweepSeconds) sweep();
}

void Upstreams::sweep() {
  swept_ = ngx_time();
  std::erase_if(hosts_, [](const auto& entry) { return entry.second.use_count() == 1; });
  std::erase_if(dropped_, [](const auto& host) { return host.use_count() == 1; });
  names_.sweep();
}

std::vector<Upstreams::Changed> Upstreams::take_changes() {
  std::vector<Changed> changes;
  for (const auto& [id, host] : upstreams_) {
    const auto [told, first] = told_.emplace(id, 0);
    if (!first && told->second == host->balancer().version()) continue;
    told->second = host->balancer().version();
    Changed changed{id, {}};
    for (const gateway::Balancer::Target& target : host->balancer().targets()) {
      if (config::literal_address(target.plan.host)) continue;
      config::TargetView view{target.plan.target, target.answer.label(), {}};
      for (const gateway::Peer* peer : target.peers)
        view.addresses.push_back({peer->ip, peer->port, peer->weight});
      changed.views.push_back(std::move(view));
    }
    changes.push_back(std::move(changed));
  }
  std::erase_if(told_, [&](const auto& entry) {
    if (upstreams_.contains(entry.first)) return false;
    changes.push_back({entry.first, {}});
    return true;
  });
  return changes;
}

void Upstreams::wake_later(BalancedHost& host) {
  std::erase(to_wake_, &host);
  to_wake_.push_back(&host);
  if (!wake_event_.posted) {
    ngx_post_event(&wake_event_, &ngx_posted_events);
  }
}

void Upstreams::wake_no_more(BalancedHost& host) { std::erase(to_wake_, &host); }

void Upstreams::run_wakes(ngx_event_t* event) noexcept {
  auto& self = *static_cast<Upstreams*>(event->data);
  for (std::size_t left = self.to_wake_.size(); left > 0 && !self.to_wake_.empty(); --left) {
    BalancedHost* host = self.to_wake_.front();
    self.to_wake_.erase(self.to_wake_.begin());
    host->wake();
  }
  try {
    if (self.changed_) self.changed_();
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_ERR, event->log, 0, "gibbon: telling of targets: %s", e.what());
  }
}

}  // namespace gibbon::nginx
