#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/store/image.hpp"

namespace gibbon::agent {

/// One row that a transaction changes: `row` is null where it goes.
struct Change {
  const Collection* collection;
  std::string id;
  Row row;
};

/// A set of changes that becomes real as a whole or not at all. Each step is checked against the image as the
/// steps before it left it. Threads: the one that Store::write() calls it on.
class Transaction {
 public:
  explicit Transaction(const Image& base) : image_(base) {}

  /// Everything as it would be after the commit.
  [[nodiscard]] const Image& image() const { return image_; }

  /// `entity` is whole and validated. Errors: its id, a unique value or key exists; what it refers to does
  /// not.
  Outcome<Row> insert(const Collection& collection, json::object entity);
  /// Replaces the row of the same id, or makes it. Errors: as insert(), but for the id.
  Outcome<Row> put(const Collection& collection, json::object entity);
  /// As put(), for many at once: what is unique is judged by how they are together, so that two may exchange
  /// their names. Rows that are there already are no changes. The first error, or nothing.
  std::optional<StoreError> put_all(const Collection& collection, const Image::Rows& rows);
  /// Removes an entity with the children that cascade; of an id that does not exist nothing. Gives null.
  /// Errors: a child that does not cascade refers to it.
  Outcome<Row> remove(const Collection& collection, std::string_view id);

  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }
  Image take_image() { return std::move(image_); }

 private:
  Image image_;
  std::vector<Change> changes_;
};

}  // namespace gibbon::agent
