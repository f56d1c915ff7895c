#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/snapshot.hpp"
#include "gibbon/client.hpp"
#include "gibbon/entity.hpp"

/// From what a request shows to whom it belongs: the consumers of one snapshot, and what plugins bring beside
/// them.
namespace gibbon::gateway {

/// Immutable; made and destroyed off the event loop. Look-ups are O(1) and allocate nothing. Threads: any.
/// Lifetime: views point into the snapshot and into the index.
class EntityIndex {
 public:
  /// `kinds`: of the entities that plugins bring; collections of other kinds are left out. Both the vectors
  /// of `snapshot` and what they hold must outlive the index.
  EntityIndex(const config::Snapshot& snapshot, const std::vector<Entity>& kinds);
  EntityIndex(const EntityIndex&) = delete;
  EntityIndex& operator=(const EntityIndex&) = delete;

  /// See Entities in gibbon/client.hpp. `now_s`: seconds since the epoch.
  [[nodiscard]] const EntityView* find(std::string_view collection, std::string_view key,
                                       std::int64_t now_s) const;
  void each_of_consumer(std::string_view collection, const Consumer& consumer, std::int64_t now_s,
                        Visitor<const EntityView&> visit) const;
  [[nodiscard]] const Consumer* find_consumer(std::string_view id_or_username) const;

 private:
  struct Row {
    EntityView view;
    std::int64_t expires_at_s;
    std::vector<std::pair<std::string_view, std::string_view>> fields;
    [[nodiscard]] bool lives(std::int64_t now_s) const { return expires_at_s == 0 || expires_at_s > now_s; }
  };
  struct Kind {
    std::string name;
    std::vector<Row> rows;  ///< By their ids.
    std::unordered_map<std::string_view, const Row*> by_key;
    std::unordered_map<std::string_view, std::vector<const Row*>> by_consumer;  ///< By the consumer's id.
  };
  void add(const Entity& kind, const config::PluginEntities& entities);
  [[nodiscard]] const Kind* kind(std::string_view collection) const;

  std::vector<Consumer> consumers_;
  std::unordered_map<std::string_view, const Consumer*> by_id_, by_username_;
  std::vector<std::unique_ptr<Kind>> kinds_;
};

}  // namespace gibbon::gateway
