#pragma once

#include "gateway/nginx/kit/caller.hpp"

namespace gibbon::nginx {

class Context;

/// The plugin kit's view of the configuration's consumers and of what plugins brought: see
/// include/gibbon/client.hpp.
class EntitiesAdapter final : public Entities {
 public:
  explicit EntitiesAdapter(Context& ctx) : ctx_(ctx) {}
  [[nodiscard]] const EntityView* find(std::string_view collection, std::string_view key) const override;
  void each_of_consumer(std::string_view collection, const Consumer& consumer,
                        Visitor<const EntityView&> visit) const override;
  [[nodiscard]] const Consumer* find_consumer(std::string_view id_or_username) const override;

 private:
  Context& ctx_;
};

/// Whom the request was authenticated as.
class ClientAdapter final : public Client {
 public:
  explicit ClientAdapter(Context& ctx) : ctx_(ctx) {}
  [[nodiscard]] std::string_view ip() const override;
  [[nodiscard]] std::string_view connection_ip() const override;
  [[nodiscard]] std::uint16_t port() const override;
  [[nodiscard]] const Consumer* consumer() const override { return consumer_; }
  [[nodiscard]] const EntityView* credential() const override { return credential_; }
  void authenticate(const Consumer* consumer, const EntityView* credential,
                    std::string_view identifier) override;
  [[nodiscard]] std::span<const std::string_view> authenticated_groups() const override { return groups_; }
  void set_authenticated_groups(std::span<const std::string_view> groups) override;

 private:
  Context& ctx_;
  const Consumer* consumer_ = nullptr;
  const EntityView* credential_ = nullptr;
  std::span<const std::string_view> groups_;
};

}  // namespace gibbon::nginx
