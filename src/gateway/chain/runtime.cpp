#include "gateway/chain/runtime.hpp"

#include <new>

namespace gibbon::gateway {

Result<std::unique_ptr<Runtime>> Runtime::build(config::Snapshot snapshot, const plugin::Registry& registry) {
  try {
    std::unique_ptr<Runtime> runtime(new Runtime(std::move(snapshot)));
    const config::Snapshot& kept = runtime->snapshot_;
    runtime->router_ = Router::build(kept.routes, kept.services, &runtime->warnings_);
    runtime->chains_ = Chains::build(kept.plugins, kept.routes, registry, &runtime->warnings_);
    runtime->slots_.resize(kept.services.size());
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
