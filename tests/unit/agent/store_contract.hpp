#pragma once

// What the tests of every store stand on: the stores themselves, and entities of every kind.
#include "test_host.hpp"

namespace gibbon::agent::test {

/// The gateway's own collections, and some that a plugin might bring: keys of consumers, tokens of keys (both
/// go with what they belong to), and notes, which hold on to their key.
const std::shared_ptr<const Collections>& all_collections();

std::string id_of(int n);
/// A whole entity of any kind: unique fields made of `n`, references to the entity `parent` of the referred
/// collection. Nothing of it is validated.
json::object entity_of(const Collection& collection, int n, int parent);
/// Every collection with its entities 1 and 2; entity n of each belongs to n of the others.
Image two_of_each();

struct Backend {
  const char* name;
  /// A store that holds `image`.
  std::unique_ptr<Store> (*make)(const TemporaryFolder& folder, const Image& image);
};
extern const Backend kSqlite, kDeclarative;
std::string backend_name(const ::testing::TestParamInfo<Backend>& info);

/// A store of each kind that holds what a test wants.
class StoreContract : public ::testing::TestWithParam<Backend> {
 protected:
  explicit StoreContract(const Image& content) : store_(GetParam().make(folder_, content)) {}
  Outcome<Row> write(const std::function<Outcome<Row>(Transaction&)>& work) { return store_->write(work); }
  Outcome<Row> insert(const Collection& collection, const json::object& entity) {
    return write([&](Transaction& t) { return t.insert(collection, entity); });
  }
  Outcome<Row> put(const Collection& collection, const json::object& entity) {
    return write([&](Transaction& t) { return t.put(collection, entity); });
  }
  Outcome<Row> remove(const Collection& collection, int n) {
    return write([&](Transaction& t) { return t.remove(collection, id_of(n)); });
  }
  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

}  // namespace gibbon::agent::test
