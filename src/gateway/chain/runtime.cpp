#include "gateway/chain/runtime.hpp"

#include "base/hash.hpp"

#include <new>
#include <string_view>

namespace gibbon::gateway {

Result<std::unique_ptr<Runtime>> Runtime::build(config::Snapshot snapshot, const plugin::Registry& registry,
                                                tls::Cache* cache) {
  try {
    std::unique_ptr<Runtime> runtime(new Runtime(std::move(snapshot)));
    const config::Snapshot& kept = runtime->snapshot_;
    runtime->router_ = Router::build(kept.routes, kept.services, &runtime->warnings_);
    runtime->chains_ = Chains::build(kept.plugins, kept.routes, registry, &runtime->warnings_);
    tls::Cache none;
    runtime->certificates_ =
        tls::Certificates::build(kept, cache != nullptr ? *cache : none, &runtime->warnings_);
    std::vector<Entity> kinds;
    for (const PluginDescriptor* plugin : registry.all())
      if (plugin->entities != nullptr)
        for (Entity& kind : plugin->entities()) kinds.push_back(std::move(kind));
    runtime->entities_ = std::make_unique<const EntityIndex>(kept, kinds);
    runtime->slots_.resize(kept.services.size());
    runtime->upstreams_ = plan_upstreams(kept);
    for (const UpstreamPlan& plan : runtime->upstreams_)
      runtime->upstreams_fingerprint_ = mix_bits(runtime->upstreams_fingerprint_ ^ plan.fingerprint) + 1;
    auto& by_name = runtime->upstream_names_;
    for (std::uint32_t i = 0; i < runtime->upstreams_.size(); ++i) by_name.emplace(runtime->upstreams_[i].upstream.name, i);
    for (const config::Service& service : kept.services) {
      const auto found = by_name.find(service.host);
      runtime->service_upstreams_.push_back(found == by_name.end() ? kNone : found->second);
    }
    return runtime;
  } catch (const std::exception& failure) {
    return Error{std::string("the configuration cannot be made ready: ") + failure.what(), ""};
  }
}

Runtime::~Runtime() {
  for (const AdapterSlot& slot : slots_) {
    if (slot.data != nullptr && slot.destroy != nullptr) slot.destroy(slot.data);
  }
}

}  // namespace gibbon::gateway
