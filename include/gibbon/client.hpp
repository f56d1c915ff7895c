#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "gibbon/visitor.hpp"

/// Who a request comes from: consumers, and the entities that plugins bring (credentials, groups).
namespace gibbon {

struct Consumer {
  std::string_view id, username, custom_id;  ///< username, custom_id: empty where null.
};

/// An entity of a kind that a plugin brought, as requests see it. Views live until the exchange ends.
struct EntityView {
  std::string_view id;
  const Consumer* consumer = nullptr;  ///< That it belongs to; null where it belongs to none.
  std::span<const std::pair<std::string_view, std::string_view>> fields;

  /// A field's value as text, a foreign key as the id; empty where it is null.
  [[nodiscard]] std::string_view field(std::string_view name) const {
    for (const auto& [key, value] : fields)
      if (key == name) return value;
    return {};
  }
};

/// The configuration's entities, as of the generation that the request began with. Look-ups cost no
/// allocation.
class Entities {
 public:
  /// The entity whose endpoint key, a unique field, has this value: find("keyauth_credentials", key). Null
  /// where there is none, or where its ttl has run out.
  [[nodiscard]] virtual const EntityView* find(std::string_view collection, std::string_view key) const = 0;
  /// Visits the entities of a collection that belong to a consumer, by their ids.
  virtual void each_of_consumer(std::string_view collection, const Consumer& consumer,
                                Visitor<const EntityView&> visit) const = 0;
  /// By id or, where there is none of that id, by username. Null where there is none.
  [[nodiscard]] virtual const Consumer* find_consumer(std::string_view id_or_username) const = 0;

 protected:
  ~Entities() = default;
};

/// Kong's kong.client: who asks, and whom the request was authenticated as.
class Client {
 public:
  /// The address of the connection, behind a trusted proxy that of its client (real_ip_header): "192.0.2.7".
  [[nodiscard]] virtual std::string_view ip() const = 0;
  /// The address of the connection itself.
  [[nodiscard]] virtual std::string_view connection_ip() const = 0;
  [[nodiscard]] virtual std::uint16_t port() const = 0;

  /// Null where the request is not authenticated.
  [[nodiscard]] virtual const Consumer* consumer() const = 0;
  /// Null where it is not, or as an anonymous consumer.
  [[nodiscard]] virtual const EntityView* credential() const = 0;
  /// Says whom the request comes from; without a credential, as the anonymous consumer. The upstream gets
  /// X-Consumer-ID, X-Consumer-Username, X-Consumer-Custom-ID, and X-Credential-Identifier (`identifier`, or
  /// the credential's id where that is empty) or X-Anonymous-Consumer; what a client sent under these names
  /// is removed. Plugins of a lower priority than the one that calls use their configurations for this
  /// consumer from here on. Phase: access. Both must come from the exchange's entities().
  virtual void authenticate(const Consumer* consumer, const EntityView* credential,
                            std::string_view identifier = {}) = 0;

  /// Groups that an authority outside of the gateway's own configuration named; empty where none did.
  [[nodiscard]] virtual std::span<const std::string_view> authenticated_groups() const = 0;
  /// Phase: access. Copies.
  virtual void set_authenticated_groups(std::span<const std::string_view> groups) = 0;

 protected:
  ~Client() = default;
};

}  // namespace gibbon
