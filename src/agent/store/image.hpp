#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/store/collection.hpp"
#include "agent/store/error.hpp"
#include "base/json.hpp"

/// The whole configuration in memory at one moment, immutable once it is shared. Both stores answer every
/// read from one: a reader holds its image as long as it likes and waits for nobody. The first
/// change to a table that other images share copies it (pointers to rows, not the rows).
namespace gibbon::agent {

/// An entity as the Admin API shows it. Shared by all images that hold it.
using Row = std::shared_ptr<const json::object>;

struct PageQuery {
  std::int64_t size = 100;
  std::string offset;             ///< From the page before; empty: the first page.
  std::vector<std::string> tags;  ///< Empty: no filter.
  enum class TagMatch { kAll, kAny } tag_match = TagMatch::kAll;
  std::string foreign_field, foreign_id;  ///< Only the children of this parent, where the field is set.
};

struct Page {
  json::array data;
  std::string offset;  ///< Of the next page; empty: this is the last.
};

class Image {
 public:
  using Rows = std::map<std::string, Row, std::less<>>;  ///< By id.

  /// An empty configuration of these kinds of entities.
  Image(std::shared_ptr<const Collections> collections = Collections::core());  // NOLINT: what it holds may be asked of it

  [[nodiscard]] const Collections& collections() const { return *collections_; }
  [[nodiscard]] std::shared_ptr<const Collections> shared_collections() const { return collections_; }

  [[nodiscard]] const Rows& rows(std::string_view collection) const;
  /// Null where there is none.
  [[nodiscard]] Row find(std::string_view collection, std::string_view id) const;
  /// `field`: "id" or a unique field.
  [[nodiscard]] Row find_by(std::string_view collection, std::string_view field,
                            std::string_view value) const;
  /// Entities in the order of their ids, as answers show them; those whose ttl has run out are left out.
  [[nodiscard]] Outcome<Page> page(std::string_view collection, const PageQuery& query) const;
  /// The tags of all entities, or the entities of one tag: {"tag","entity_name","entity_id"}.
  [[nodiscard]] Outcome<Page> tags(const std::optional<std::string>& tag, const PageQuery& query) const;

  /// What would collide with `entity` under a unique field or key: its values. Not with the row of the same
  /// id.
  [[nodiscard]] std::optional<json::object> collision(const Collection& collection,
                                                      const json::object& entity) const;
  /// The ids of the children that refer to `id` through `field`.
  [[nodiscard]] std::vector<std::string> children(std::string_view collection, std::string_view field,
                                                  std::string_view id) const;

  /// What runs out at `now_s` or before: see agent/store/ttl.hpp.
  [[nodiscard]] std::vector<std::pair<const Collection*, std::string>> expired(std::int64_t now_s) const;

  /// For whoever builds an image: stores or replaces a row, or forgets one. Nothing is checked.
  void put(const Collection& collection, json::object entity);
  void erase(const Collection& collection, std::string_view id);

 private:
  struct Table {
    Rows rows;
    std::map<std::string, std::string, std::less<>> keys;  ///< "field\0value" to id.
    std::set<std::pair<std::int64_t, std::string>> ends;   ///< When rows run out, of those that do, and their ids.
  };
  [[nodiscard]] const Table* table(std::string_view collection) const;
  Table& change(std::string_view collection);

  std::shared_ptr<const Collections> collections_;
  std::map<std::string, std::shared_ptr<const Table>, std::less<>> tables_;
};

/// What may stand once in a collection: a unique field and its value, or "@" and the values of the cache key.
using UniqueKey = std::pair<std::string, std::string>;
/// Those that an entity holds.
std::vector<UniqueKey> unique_keys(const Collection& collection, const json::object& entity);

/// The id in a foreign field's value; empty where it is null.
std::string_view foreign_id(const json::object& entity, std::string_view field);
/// A string field's value; empty where it is null or missing.
std::string_view text_of(const json::object& entity, std::string_view field);

}  // namespace gibbon::agent
