#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gibbon/entity.hpp"

/// What the stores and the Admin API need to know of each kind of entity, read from its declaration.
namespace gibbon::agent {

struct ForeignKey {
  std::string field;       ///< "service"
  std::string collection;  ///< "services"
  bool cascades = false;   ///< Deleting the parent deletes the child; otherwise it is refused.
};

struct Collection {
  Entity entity;
  std::string name;                  ///< "services", as in files and stores.
  std::string path;                  ///< In the Admin API: "services", "key-auths".
  std::string nested_path;           ///< Below a parent: "routes", "key-auth".
  std::string endpoint_key;          ///< The field that may stand for the id in a path: "name"; may be empty.
  bool key_within_parent = false;    ///< The endpoint key is unique only among the children of one parent.
  std::vector<std::string> unique;   ///< Fields whose values are unique where they are set.
  std::vector<ForeignKey> foreign;
  [[nodiscard]] bool has_ttl() const { return entity.lifetime == Entity::Lifetime::kTtl; }
  [[nodiscard]] const std::vector<std::string>& cache_key() const { return entity.cache_key; }
  [[nodiscard]] const ForeignKey* foreign_key(std::string_view field) const;
};

/// All kinds of entities that one configuration may hold. Immutable; threads: any.
class Collections {
 public:
  /// `more`: what plugins bring beside the gateway's own. Of two with one name the first counts.
  explicit Collections(std::vector<Entity> more);

  /// Parents before children.
  [[nodiscard]] auto begin() const { return all_.begin(); }
  [[nodiscard]] auto end() const { return all_.end(); }
  /// Null where there is no such collection.
  [[nodiscard]] const Collection* find(std::string_view name) const;
  /// As find(), for one that exists.
  [[nodiscard]] const Collection& at(std::string_view name) const;

  /// The gateway's own, without plugins.
  static std::shared_ptr<const Collections> core();

 private:
  std::vector<Collection> all_;
};

/// Kong's way to say one of them: "services" is "service".
std::string_view singular(std::string_view collection);

}  // namespace gibbon::agent
