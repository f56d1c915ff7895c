#include "gateway/nginx/kit/ctx.hpp"

#include <stdexcept>

#include "gateway/nginx/context.hpp"

namespace gibbon::nginx {

CtxAdapter::~CtxAdapter() {
  for (const Kept* kept = kept_; kept != nullptr; kept = kept->next) kept->destroy(kept->object);
}

void* CtxAdapter::object(const void* shared, std::string_view name, const ObjectType& type, bool make) {
  const PluginDescriptor* owner = shared != nullptr ? nullptr : ctx_.plugin();
  for (const Kept* kept = kept_; kept != nullptr; kept = kept->next) {
    if (kept->plugin != owner || kept->name != name) continue;
    if (kept->type == type.name) return kept->object;
    if (shared != nullptr)
      throw std::logic_error("the shared object '" + std::string(name) + "' has the type " + std::string(kept->type) +
                             ", not " + type.name);
  }
  if (!make) return nullptr;
  ngx_pool_t* pool = ctx_.r->pool;
  auto* at = static_cast<Kept*>(ngx_palloc(pool, sizeof(Kept)));
  auto* memory = static_cast<unsigned char*>(ngx_palloc(pool, type.size + type.alignment));
  const ngx_str_t kept_name = copy_to_pool(pool, name);
  if (at == nullptr || memory == nullptr || kept_name.data == nullptr) throw std::bad_alloc();
  const auto misaligned = reinterpret_cast<std::uintptr_t>(memory) % type.alignment;
  void* object = misaligned == 0 ? memory : memory + (type.alignment - misaligned);
  type.construct(object);
  kept_ = new (at) Kept{owner, view(kept_name), type.name, object, type.destroy, kept_};
  return object;
}

}  // namespace gibbon::nginx
