#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "agent/admin/body.hpp"
#include "agent/admin/host.hpp"

namespace gibbon::agent {

/// How a path names an entity: its id, or the unique field that stands for it.
struct EntityKey {
  std::string field;  ///< "id", "name", "instance_name"
  std::string value;
  [[nodiscard]] bool by_id() const { return field == "id"; }
};

/// `text` is an id where it looks like one, or where the collection has no other key.
EntityKey entity_key(const Collection& collection, const std::string& text);
/// The same below a parent, where a key that is unique there alone serves as well.
EntityKey child_key(const Collection& collection, const std::string& text);
/// Why nothing of the collection can have that key; nothing where it may.
std::optional<StoreError> key_problem(const Collection& collection, const EntityKey& key);
Row find_entity(const Image& image, const Collection& collection, const EntityKey& key);
/// The child that `key` names among those that refer to `parent_id` through `field`; null where there is none.
Row find_child(const Image& image, const Collection& collection, std::string_view field, std::string_view parent_id,
               const EntityKey& key);

/// The parent under which a path stands: /services/{services}/routes.
struct Parent {
  const Collection* collection;
  std::string field;  ///< Of the child: "service".
  EntityKey key;
};

/// Changes of single entities: validation, references, and the store's constraints in one transaction, then
/// the gateway. Nothing as a result means that the path's entity or its parent does not exist. Threads: any;
/// blocks until the workers apply the change.
class EntityService {
 public:
  explicit EntityService(Host& host) : host_(host) {}

  using Changed = Outcome<std::optional<Row>>;
  Changed create(const Collection& collection, const Body& body, const std::optional<Parent>& parent);
  /// A PATCH.
  Changed update(const Collection& collection, const EntityKey& key, const Body& body,
                 const std::optional<Parent>& parent);
  /// A PUT.
  Changed replace(const Collection& collection, const EntityKey& key, const Body& body,
                  const std::optional<Parent>& parent);
  /// Gives a null row. Without a parent, an entity that does not exist is gone already.
  Changed remove(const Collection& collection, const EntityKey& key, const std::optional<Parent>& parent);

  /// A PUT on /routes/{routes}/service: replaces what the child refers to, or makes it and lets the child
  /// refer to it.
  Changed replace_referenced(const Collection& child, const EntityKey& key, const ForeignKey& foreign,
                             const Body& body);

 private:
  Changed write(const std::function<Changed(Transaction&)>& work);
  /// Replaces references by name with ids.
  static std::optional<StoreError> resolve(const Image& image, const Collection& collection,
                                           json::object& input);
  /// `stored`: what `key` names; null where there is none.
  Changed put(Transaction& transaction, const Collection& collection, const EntityKey& key, const Row& stored,
              json::object input, const Catalog& catalog);

  Host& host_;
};

}  // namespace gibbon::agent
