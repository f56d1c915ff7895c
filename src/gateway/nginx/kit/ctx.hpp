#pragma once

#include "gateway/nginx/kit/caller.hpp"

namespace gibbon::nginx {

class Context;

/// What handlers keep of an exchange: see include/gibbon/ctx.hpp. The objects live in the request's pool.
class CtxAdapter final : public Ctx {
 public:
  explicit CtxAdapter(Context& ctx) : ctx_(ctx) {}
  ~CtxAdapter();

 private:
  struct Kept {
    const PluginDescriptor* plugin;  ///< Null: shared.
    std::string_view name, type;
    void* object;
    void (*destroy)(void*);
    Kept* next;
  };
  void* object(const void* shared, std::string_view name, const ObjectType& type, bool make) override;

  Context& ctx_;
  Kept* kept_ = nullptr;
};

}  // namespace gibbon::nginx
