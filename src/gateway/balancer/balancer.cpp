#include "gateway/balancer/balancer.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/hash.hpp"

namespace gibbon::gateway {
namespace {

bool same_place(const Peer& peer, const Address& address, std::uint16_t port) {
  return peer.port == port && peer.address == address;
}

/// Every field of an upstream, one after the other.
class Fingerprint {
 public:
  Fingerprint& add(std::string_view text) {
    hash_ = stable_hash(text, hash_);
    return *this;
  }
  Fingerprint& add(double number) { return add(std::to_string(number)); }
  Fingerprint& add(const config::Healthcheck& check) {
    add(static_cast<double>(check.type)).add(check.successes).add(check.tcp_failures);
    add(check.http_failures).add(check.timeouts);
    for (const auto* statuses : {&check.healthy_statuses, &check.unhealthy_statuses}) {
      for (const std::uint16_t status : *statuses) add(status);
      add("");
    }
    return *this;
  }
  [[nodiscard]] std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0;
};

std::uint64_t fingerprint_of(const config::Upstream& u) {
  Fingerprint print;
  print.add(u.id).add(u.name).add(static_cast<double>(u.algorithm));
  print.add(static_cast<double>(u.hash_on)).add(static_cast<double>(u.hash_fallback));
  for (const std::string* text :
       {&u.hash_on_header, &u.hash_fallback_header, &u.hash_on_cookie, &u.hash_on_cookie_path,
        &u.hash_on_query_arg, &u.hash_fallback_query_arg, &u.hash_on_uri_capture,
        &u.hash_fallback_uri_capture, &u.host_header, &u.client_certificate_id})
    print.add(*text);
  print.add(u.use_srv_name ? 1 : 0).add(u.health_threshold).add(u.passive).add(u.active);
  print.add(u.active.healthy_interval_s).add(u.active.unhealthy_interval_s).add(u.active.timeout_s);
  print.add(u.active.concurrency).add(u.active.http_path).add(u.active.https_sni);
  print.add(u.active.https_verify_certificate ? 1 : 0);
  for (const auto& [name, values] : u.active.headers) {
    print.add(name);
    for (const std::string& value : values) print.add(value);
  }
  return print.value();
}

}  // namespace

HostAnswer HostAnswer::literal(const Address& address) {
  HostAnswer answer;
  answer.kind = address.family == AF_INET6 ? Kind::kAaaa : Kind::kA;
  answer.endpoints.push_back({address, 0, std::nullopt, {}});
  return answer;
}

std::string HostAnswer::label() const {
  switch (kind) {
    case Kind::kA:
      return "A";
    case Kind::kAaaa:
      return "AAAA";
    case Kind::kSrv:
      return "SRV";
    case Kind::kFailed:
      return error;
    case Kind::kUnknown:
      break;
  }
  return "unknown";
}

std::vector<UpstreamPlan> plan_upstreams(const config::Snapshot& snapshot) {
  std::vector<UpstreamPlan> plans;
  std::unordered_map<std::string_view, std::size_t> by_id;
  for (const config::Upstream& upstream : snapshot.upstreams) {
    by_id.emplace(upstream.id, plans.size());
    UpstreamPlan& plan = plans.emplace_back();
    plan.upstream = upstream;
    for (const config::Certificate& certificate : snapshot.certificates) {
      if (certificate.id != upstream.client_certificate_id) continue;
      plan.client_certificate = certificate.cert;
      plan.client_key = certificate.key;
    }
    plan.fingerprint = stable_hash(plan.client_certificate, fingerprint_of(upstream));
  }
  for (const config::Target& target : snapshot.targets) {
    const auto found = by_id.find(target.upstream_id);
    if (found == by_id.end()) continue;
    UpstreamPlan& plan = plans[found->second];
    plan.targets.push_back(config::TargetPlan::parse(target));
    plan.fingerprint = mix_bits(stable_hash(target.target, plan.fingerprint) + target.weight);
  }
  return plans;
}

Balancer::Balancer(config::HealthTable* health, std::uint64_t seed) : health_(health), seed_(seed) {}

Balancer::~Balancer() {
  for (const Target& target : targets_)
    for (Peer* peer : target.peers) retire(peer);
}

void Balancer::retire(Peer* peer) {
  peer->retired = true;
  peer->release();
}

std::string Balancer::host_name(const Target& target, const HostAnswer::Endpoint& endpoint) const {
  std::string host = target.plan.host;
  if (endpoint.weight && upstream_.use_srv_name && !endpoint.name.empty()) host = endpoint.name;
  if (!upstream_.host_header.empty()) host = upstream_.host_header;
  const bool bare_ipv6 =
      host.find(':') != std::string::npos && host.front() != '[' && host.find(':') != host.rfind(':');
  return bare_ipv6 ? '[' + host + ']' : host;
}

Peer* Balancer::make_peer(const Target& target, const HostAnswer::Endpoint& endpoint) const {
  auto* peer = new Peer;
  peer->address = endpoint.address;
  peer->port = endpoint.port != 0 ? endpoint.port : target.plan.port;
  peer->host = target.plan.host;
  peer->host_name = host_name(target, endpoint);
  peer->host_and_port = peer->host_name + ':' + std::to_string(peer->port);
  peer->ip = endpoint.address.text();
  const std::string port = std::to_string(peer->port);
  peer->name = (endpoint.address.family == AF_INET6 ? '[' + peer->ip + ']' : peer->ip) + ':' + port;
  peer->hash = stable_hash(peer->host, stable_hash(peer->name));
  peer->health_key = config::HealthTable::key(upstream_.id, peer->host, peer->ip, peer->port);
  return peer;
}

void Balancer::attach_health(Peer& peer) {
  if (!checked_ || health_ == nullptr || peer.weight == 0) {
    peer.health = nullptr;
  } else if (peer.health == nullptr) {
    peer.health = health_->claim(peer.health_key);
  }
}

void Balancer::set_answer(std::size_t index, const HostAnswer& answer) {
  targets_[index].answer = answer;
  update_peers(targets_[index]);
  ++version_;
  rebuild();
}

void Balancer::update_peers(Target& target) {
  std::vector<Peer*> before = std::move(target.peers);
  target.peers.clear();
  for (const HostAnswer::Endpoint& endpoint : target.answer.endpoints) {
    const std::uint16_t port = endpoint.port != 0 ? endpoint.port : target.plan.port;
    const auto here = [&](const Peer* peer) { return same_place(*peer, endpoint.address, port); };
    if (std::any_of(target.peers.begin(), target.peers.end(), here)) continue;
    const std::string name = host_name(target, endpoint);
    const auto known = std::find_if(before.begin(), before.end(),
                                    [&](const Peer* peer) { return here(peer) && peer->host_name == name; });
    Peer* peer = known != before.end() ? *known : make_peer(target, endpoint);
    if (known != before.end()) before.erase(known);
    // A record of weight 0 gets the least there is.
    peer->weight =
        endpoint.weight && target.plan.weight > 0 ? std::max(1U, *endpoint.weight) : target.plan.weight;
    target.peers.push_back(peer);
  }
  for (Peer* gone : before) retire(gone);
}

void Balancer::configure(const config::Upstream& upstream, std::span<const config::TargetPlan> targets) {
  const bool other_algorithm = algorithm_ == nullptr || upstream_.algorithm != upstream.algorithm;
  upstream_ = upstream;
  checked_ = config::has_health_checks(upstream_);
  if (other_algorithm) algorithm_ = Algorithm::make(upstream_.algorithm, seed_);
  std::unordered_map<std::string, Target> before;
  for (Target& target : targets_) before.emplace(target.plan.target, std::move(target));
  targets_.clear();
  for (const config::TargetPlan& plan : targets) {
    Target target;
    if (const auto known = before.find(plan.target); known != before.end()) {
      target = std::move(known->second);
      before.erase(known);
    }
    target.plan = plan;
    update_peers(target);
    targets_.push_back(std::move(target));
  }
  for (const auto& [name, gone] : before)
    for (Peer* peer : gone.peers) retire(peer);
  ++version_;
  rebuild();
}

void Balancer::rebuild() {
  if (health_ != nullptr) seen_epoch_ = health_->epoch();
  std::uint64_t total = 0, available = 0;
  pickable_.clear();
  for (const Target& target : targets_) {
    for (Peer* peer : target.peers) {
      attach_health(*peer);
      peer->available = peer->health == nullptr || config::HealthTable::health(*peer->health).available();
      total += peer->weight;
      if (!peer->available || peer->weight == 0) continue;
      available += peer->weight;
      pickable_.push_back(peer);
    }
  }
  healthy_ = total > 0 &&
             static_cast<double>(available) * 100 / static_cast<double>(total) > upstream_.health_threshold;
  if (algorithm_ != nullptr) algorithm_->set_peers(pickable_);
}

void Balancer::refresh() {
  if (checked_ && health_ != nullptr && health_->epoch() != seen_epoch_) rebuild();
}

void Balancer::keep_health() {
  bool lost = false;
  for (const Target& target : targets_) {
    for (Peer* peer : target.peers) {
      if (peer->health == nullptr || config::HealthTable::keep(*peer->health, peer->health_key)) continue;
      peer->health = nullptr;
      lost = true;
    }
  }
  if (lost) rebuild();
}

bool Balancer::pending() const {
  return std::any_of(targets_.begin(), targets_.end(),
                     [](const Target& target) { return target.answer.kind == HostAnswer::Kind::kUnknown; });
}

Peer* Balancer::pick(PickInput input) {
  refresh();
  if (!healthy_) return nullptr;
  Peer* peer = algorithm_->pick(input);
  if (peer == nullptr && !input.failed.empty()) {
    input.failed = {};
    peer = algorithm_->pick(input);
  }
  if (peer == nullptr) return nullptr;
  peer->last_pick = ++picks_;
  ++peer->connections;
  peer->retain();
  return peer;
}

bool Balancer::usable(const Peer& peer) {
  refresh();
  return !peer.retired && peer.available && peer.weight > 0 && healthy_;
}

void Balancer::leave(Peer& peer) {
  --peer.connections;
  peer.release();
}

void Balancer::report(Peer& peer, config::HealthReport report) {
  if (peer.health != nullptr && !peer.retired) health_->report(*peer.health, report);
}

void Balancer::saw_status(Peer& peer, int status) {
  if (peer.health != nullptr) report(peer, config::status_report(upstream_.passive, status));
}

void Balancer::saw_tcp_failure(Peer& peer) {
  report(peer, {config::Health::Event::kTcpFailure, upstream_.passive.tcp_failures});
}

void Balancer::saw_timeout(Peer& peer) {
  report(peer, {config::Health::Event::kTimeout, upstream_.passive.timeouts});
}

void Balancer::saw_latency(Peer& peer, double latency_ms, std::int64_t now_ms) {
  if (upstream_.algorithm == config::Upstream::Algorithm::kLatency)
    LeastLatency::measured(peer, latency_ms, now_ms);
}

}  // namespace gibbon::gateway
