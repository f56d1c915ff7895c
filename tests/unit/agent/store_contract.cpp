#include "store_contract.hpp"

namespace gibbon::agent::test {
namespace {

std::unique_ptr<Store> make_sqlite(const TemporaryFolder& folder, const Image& image) {
  auto store = SqliteStore::open(folder.file("gibbon.db"), image.shared_collections());
  EXPECT_TRUE(store.ok());
  const auto filled = (*store)->write([&](Transaction& transaction) -> Outcome<Row> {
    for (const auto& collection : image.collections())
      for (const auto& [id, row] : image.rows(collection.name))
        EXPECT_TRUE(transaction.insert(collection, *row).ok());
    return Row();
  });
  EXPECT_TRUE(filled.ok());
  return std::move(*store);
}

std::unique_ptr<Store> make_declarative(const TemporaryFolder&, const Image& image) {
  auto store = std::make_unique<DeclarativeStore>(image.shared_collections());
  EXPECT_TRUE(store->replace(image).ok());
  return store;
}

Entity brought(const char* name, const char* parent_field, const char* parent, bool cascades) {
  using namespace gibbon::fields;
  auto reference = foreign(parent).required();
  if (cascades) reference.on_delete_cascade();
  return {.name = name,
          .schema = record({{"id", string().uuid()},
                            {parent_field, reference},
                            {"name", string().unique()},
                            {"tags", set(string())}}),
          .endpoint_key = "name"};
}

}  // namespace

const Backend kSqlite{"Sqlite", make_sqlite}, kDeclarative{"Declarative", make_declarative};

std::string backend_name(const ::testing::TestParamInfo<Backend>& info) { return info.param.name; }

const std::shared_ptr<const Collections>& all_collections() {
  static const auto all = std::make_shared<const Collections>(
      std::vector<Entity>{brought("keys", "consumer", "consumers", true),
                          brought("tokens", "key", "keys", true), brought("notes", "key", "keys", false)});
  return all;
}

std::string id_of(int n) {
  std::string digits = std::to_string(n);
  return "00000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

json::object entity_of(const Collection& collection, int n, int parent) {
  json::object entity{{"id", id_of(n)}, {"tags", nullptr}};
  const auto text = collection.name + "-" + std::to_string(n);
  for (const auto& field : collection.cache_key()) entity[field] = text;
  for (const auto& field : collection.unique) entity[field] = text;
  if (!collection.endpoint_key.empty()) entity[collection.endpoint_key] = text;
  for (const auto& foreign : collection.foreign) entity[foreign.field] = json::object{{"id", id_of(parent)}};
  return entity;
}

Image two_of_each() {
  Image image(all_collections());
  for (const auto& collection : *all_collections())
    for (const int n : {1, 2}) image.put(collection, entity_of(collection, n, n));
  return image;
}

}  // namespace gibbon::agent::test
