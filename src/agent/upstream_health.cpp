#include "agent/upstream_health.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/ascii.hpp"

namespace gibbon::agent {
namespace {

struct Weights {
  std::uint64_t total = 0, available = 0;
  void add(const TargetHealth& target) {
    for (const AddressHealth& address : target.addresses) {
      total += address.weight;
      if (address.available) available += address.weight;
    }
  }
  [[nodiscard]] json::object shown() const {
    return {{"total", total}, {"unavailable", total - available}, {"available", available}};
  }
};

double created_at(const Row& row) {
  const json::value* value = row->if_contains("created_at");
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

/// Where the target points: itself where its host is an address, else what the workers found.
TargetHealth locate(const config::Target& target, const std::vector<config::TargetView>& views) {
  TargetHealth located;
  located.plan = config::TargetPlan::parse(target);
  if (const auto ip = config::literal_address(located.plan.host)) {
    located.dns = ip->find(':') == std::string::npos ? "A" : "AAAA";
    located.addresses.push_back({*ip, located.plan.port, located.plan.weight, 0, true});
    return located;
  }
  located.dns = "unknown";
  for (const config::TargetView& view : views) {
    if (view.target != located.plan.target) continue;
    located.dns = view.dns;
    for (const auto& address : view.addresses)
      located.addresses.push_back({address.ip, address.port, address.weight, 0, true});
  }
  return located;
}

/// A label's value, as the text format wants it.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

json::object common_details(const TargetHealth& target) {
  Weights weights;
  weights.add(target);
  return {{"host", target.plan.host},
          {"port", target.plan.port},
          {"dns", target.dns},
          {"nodeWeight", target.plan.weight},
          {"weight", weights.shown()}};
}

}  // namespace

std::string TargetHealth::address_state(const AddressHealth& address) const {
  if (!checked || plan.weight == 0) return "HEALTHCHECKS_OFF";
  return address.available ? "HEALTHY" : "UNHEALTHY";
}

std::string TargetHealth::state() const {
  if (addresses.empty()) return "DNS_ERROR";
  for (const AddressHealth& address : addresses)
    if (address.available) return address_state(address);
  return address_state(addresses.front());
}

json::object TargetHealth::details() const {
  json::array list;
  for (const AddressHealth& address : addresses)
    list.push_back({{"ip", address.ip},
                    {"port", address.port},
                    {"weight", address.weight},
                    {"health", address_state(address)}});
  json::object shown = common_details(*this);
  shown["addresses"] = std::move(list);
  return shown;
}

json::object TargetHealth::balancer_details() const {
  json::array list;
  for (const AddressHealth& address : addresses)
    list.push_back({{"ip", address.ip},
                    {"port", address.port},
                    {"weight", address.weight},
                    {"healthy", address.available}});
  json::object shown = common_details(*this);
  shown["addresses"] = std::move(list);
  return shown;
}

std::vector<Row> targets_of(const Image& image, std::string_view upstream_id) {
  std::vector<Row> rows;
  for (const std::string& id : image.children("targets", "upstream", upstream_id))
    rows.push_back(image.find("targets", id));
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return created_at(a) != created_at(b) ? created_at(a) > created_at(b)
                                          : text_of(*a, "id") > text_of(*b, "id");
  });
  return rows;
}

UpstreamHealth UpstreamHealth::read(Host& host, const Image& image, const Row& row) {
  UpstreamHealth health;
  if (auto upstream = config::upstream_from_json(*row); upstream.ok()) health.upstream = std::move(*upstream);
  const bool checked = config::has_health_checks(health.upstream);
  auto views = config::load_target_views(host.shared_directory(), health.upstream.id);
  if (!views.ok()) spdlog::error("{}", views.error().message);
  health.rows = targets_of(image, health.upstream.id);
  for (const Row& each : health.rows) {
    const auto target = config::target_from_json(*each);
    TargetHealth located = locate(target.ok() ? *target : config::Target(),
                                  views.ok() ? *views : std::vector<config::TargetView>());
    located.checked = checked;
    for (AddressHealth& address : located.addresses) {
      address.key = config::HealthTable::key(health.upstream.id, located.plan.host, address.ip, address.port);
      if (!checked || host.health() == nullptr) continue;
      const auto* cell = host.health()->find(address.key);
      address.available = cell == nullptr || config::HealthTable::health(*cell).available();
    }
    health.targets.push_back(std::move(located));
  }
  return health;
}

bool UpstreamHealth::healthy() const {
  Weights weights;
  for (const TargetHealth& target : targets) weights.add(target);
  return weights.total > 0 &&
         static_cast<double>(weights.available) * 100 / static_cast<double>(weights.total) >
             upstream.health_threshold;
}

json::object UpstreamHealth::balancer() const {
  const char* state = healthy() ? "HEALTHY" : "UNHEALTHY";
  Weights weights;
  json::array hosts;
  for (auto target = targets.rbegin(); target != targets.rend();
       ++target) {  // The balancer's order: the oldest first.
    weights.add(*target);
    hosts.push_back(target->balancer_details());
  }
  return {{"health", config::has_health_checks(upstream) ? state : "HEALTHCHECKS_OFF"},
          {"balancer_health", state},
          {"id", upstream.id},
          {"details", {{"healthy", healthy()}, {"weight", weights.shown()}, {"hosts", std::move(hosts)}}}};
}

std::string upstream_metrics(Host& host) {
  const auto image = host.store().read();
  std::string samples;
  const auto add = [&samples](const std::string& upstream, const std::string& target,
                              const std::string& address, const std::string& state) {
    for (const char* each : {"healthchecks_off", "healthy", "unhealthy", "dns_error"})
      samples += fmt::format(
          "kong_upstream_target_health{{upstream=\"{}\",target=\"{}\",address=\"{}\",state=\"{}\",subsystem="
          "\"http\"}} {}\n",
          label(upstream), label(target), label(address), each, state == each ? 1 : 0);
  };
  for (const auto& [id, row] : image->rows("upstreams")) {
    const UpstreamHealth health = UpstreamHealth::read(host, *image, row);
    for (const TargetHealth& target : health.targets) {
      for (const AddressHealth& address : target.addresses)
        add(health.upstream.name, target.plan.target, address.ip + ':' + std::to_string(address.port),
            ascii_lower(target.address_state(address)));
      if (target.addresses.empty()) add(health.upstream.name, target.plan.target, "", "dns_error");
    }
  }
  if (samples.empty()) return samples;
  return "# HELP kong_upstream_target_health The state of each address of each target: 1 for the state that "
         "it is in.\n"
         "# TYPE kong_upstream_target_health gauge\n" +
         samples;
}

}  // namespace gibbon::agent
