#include "gateway/nginx/service_targets.hpp"

#include <map>
#include <string>

#include "gateway/nginx/conf.hpp"
#include "gateway/nginx/worker.hpp"

namespace gibbon::nginx {
namespace {

/// How many chosen targets a service keeps. A plugin may choose hosts that clients name.
constexpr std::size_t kMostChosen = 64;

struct ServiceTargets {
  std::unique_ptr<UpstreamTarget> own;
  std::map<std::string, std::shared_ptr<UpstreamTarget>, std::less<>> chosen;
};

std::uint32_t service_index(const Context& ctx) {
  return static_cast<std::uint32_t>(ctx.service - ctx.runtime->snapshot().services.data());
}

ServiceTargets& targets_of(Context& ctx) {
  gateway::AdapterSlot& slot = ctx.runtime->adapter_slot(service_index(ctx));
  if (slot.data == nullptr) {
    slot.data = new ServiceTargets;
    slot.destroy = [](void* targets) { delete static_cast<ServiceTargets*>(targets); };
  }
  return *static_cast<ServiceTargets*>(slot.data);
}

std::unique_ptr<UpstreamTarget> make_target(Context& ctx, std::shared_ptr<BalancedHost> host, UpstreamTarget::Names names) {
  return std::make_unique<UpstreamTarget>(*ctx.service, ctx.runtime->certificates().upstream(service_index(ctx)),
                                          *main_conf(ctx.r), std::move(host), names);
}

template <typename Make>
std::shared_ptr<UpstreamTarget> kept_or_made(Context& ctx, std::string key, Make make) {
  auto& chosen = targets_of(ctx).chosen;
  if (const auto found = chosen.find(key); found != chosen.end()) return found->second;
  if (chosen.size() >= kMostChosen) chosen.clear();
  return chosen.emplace(std::move(key), make()).first->second;
}

}  // namespace

UpstreamTarget* service_target(Context& ctx) {
  ServiceTargets& targets = targets_of(ctx);
  if (targets.own == nullptr) {
    const gateway::UpstreamPlan* plan = ctx.runtime->upstream_of(service_index(ctx));
    Upstreams& upstreams = worker()->upstreams();
    targets.own = make_target(
        ctx, plan != nullptr ? upstreams.upstream(*plan) : upstreams.host(ctx.service->host, ctx.service->port),
        UpstreamTarget::Names::kConfigured);
  }
  return targets.own.get();
}

std::shared_ptr<UpstreamTarget> chosen_target(Context& ctx, const gateway::UpstreamPlan& upstream) {
  return kept_or_made(ctx, upstream.upstream.id, [&] {
    return make_target(ctx, worker()->upstreams().upstream(upstream), UpstreamTarget::Names::kConfigured);
  });
}

std::shared_ptr<UpstreamTarget> chosen_target(Context& ctx, std::string_view host, std::uint16_t port) {
  const std::string name(host);
  return kept_or_made(ctx, name + ':' + std::to_string(port), [&] {
    return make_target(ctx, worker()->upstreams().host(name, port), UpstreamTarget::Names::kChosen);
  });
}

}  // namespace gibbon::nginx
