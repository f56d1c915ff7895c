#pragma once

#include "gateway/nginx/kit/caller.hpp"

namespace gibbon::nginx {

class Context;

/// Where a plugin sends the request. See include/gibbon/service.hpp.
class ServiceAdapter final : public Service {
 public:
  explicit ServiceAdapter(Context& ctx) : ctx_(ctx) {}
  bool set_upstream(std::string_view name) override;
  void set_target(std::string_view host, std::uint16_t port) override;
  void set_retries(std::uint32_t retries) override;
  void set_timeouts(std::chrono::milliseconds connect, std::chrono::milliseconds write,
                    std::chrono::milliseconds read) override;

 private:
  Context& ctx_;
};

/// The upstream's own answer.
class ServiceResponseAdapter final : public ServiceResponse {
 public:
  explicit ServiceResponseAdapter(Context& ctx) : ctx_(ctx) {}
  [[nodiscard]] int status() const override;
  [[nodiscard]] std::string_view header(std::string_view name) const override;
  void each_header(HeaderVisitor visit) const override;

 private:
  Context& ctx_;
};

/// What matched.
class RouterAdapter final : public Router {
 public:
  explicit RouterAdapter(Context& ctx) : ctx_(ctx) {}
  [[nodiscard]] const RouteView* route() const override;
  [[nodiscard]] const ServiceView* service() const override;

 private:
  Context& ctx_;
  mutable const RouteView* route_ = nullptr;  ///< In the pool, once it was asked for.
  mutable const ServiceView* service_ = nullptr;
};

}  // namespace gibbon::nginx
