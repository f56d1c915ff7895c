// What every store promises of every kind of entity, those that plugins bring included.
#include "base/json_text.hpp"
#include "store_contract.hpp"

namespace gibbon::agent::test {
namespace {

class EveryEntity : public StoreContract {
 protected:
  EveryEntity() : StoreContract(two_of_each()) {}
};

TEST_P(EveryEntity, IsFoundByIdAndByEachUniqueField) {
  const auto image = store_->read();
  for (const auto& collection : *all_collections()) {
    const auto row = image->find(collection.name, id_of(2));
    ASSERT_NE(row, nullptr) << collection.name;
    EXPECT_EQ(*row, entity_of(collection, 2, 2)) << collection.name;
    for (const auto& field : collection.unique)
      EXPECT_EQ(image->find_by(collection.name, field, text_of(*row, field)), row)
          << collection.name << "." << field;
    EXPECT_EQ(image->find(collection.name, id_of(3)), nullptr);
  }
}

TEST_P(EveryEntity, IsAChildOfWhatItRefersTo) {
  const auto image = store_->read();
  for (const auto& collection : *all_collections())
    for (const auto& foreign : collection.foreign) {
      EXPECT_EQ(image->children(collection.name, foreign.field, id_of(2)), std::vector<std::string>{id_of(2)})
          << collection.name << "." << foreign.field;
      EXPECT_TRUE(image->children(collection.name, foreign.field, id_of(9)).empty());
    }
}

/// Content that is easy to damage: all of it comes back as it was.
Image difficult() {
  Image image(all_collections());
  int n = 0;
  for (const auto& collection : *all_collections()) {
    auto entity = entity_of(collection, ++n, 1);
    for (const auto& foreign : collection.foreign) entity[foreign.field] = nullptr;
    entity["tags"] = json::array{"\xC3\xA4\xC3\xB6", "\xF0\x9F\x98\x80 \"quoted\" \\ \n\t", "caf\xC3\xA9",
                                 "x", "'; DROP TABLE entities; --"};
    entity["text"] = std::string(300'000, 'x') + "\xE2\x82\xAC";
    entity["control"] = std::string("a\0b", 3);
    entity["numbers"] = json::array{0, -1, 9007199254740991, 0.1, 1e300, -2147483648};
    entity["nested"] =
        json::object{{"empty", json::object()}, {"none", json::array()}, {"null", nullptr}, {"", true}};
    image.put(collection, std::move(entity));
  }
  return image;
}

class DifficultContent : public StoreContract {
 protected:
  DifficultContent() : StoreContract(difficult()) {}
};

TEST_P(DifficultContent, ComesBackAsItWas) {
  const auto expected = difficult();
  if (store_->writable()) {  // read from the disk again
    ASSERT_TRUE(store_->adopt(all_collections()).ok());
  }
  for (const auto& collection : *all_collections())
    for (const auto& [id, row] : expected.rows(collection.name)) {
      const auto found = store_->read()->find(collection.name, id);
      ASSERT_NE(found, nullptr) << collection.name;
      EXPECT_EQ(to_text(*found), to_text(*row)) << collection.name;
    }
}

TEST_P(DifficultContent, TagsAreListedOverAllKinds) {
  std::map<std::string, int> seen;
  PageQuery query;
  query.size = 3;
  do {
    const auto page = store_->read()->tags(std::nullopt, query);
    ASSERT_TRUE(page.ok());
    for (const auto& tag : page.value().data)
      ++seen[std::string(tag.at("entity_name").as_string()) + " " + std::string(tag.at("tag").as_string())];
    query.offset = page.value().offset;
  } while (!query.offset.empty());
  std::size_t kinds = 0;
  for (const auto& collection : *all_collections()) {
    ++kinds;
    EXPECT_EQ(seen[collection.name + " caf\xC3\xA9"], 1) << collection.name;
  }
  EXPECT_EQ(seen.size(), kinds * 5);
  EXPECT_EQ(store_->read()->tags("caf\xC3\xA9", PageQuery{}).value().data.size(), kinds);
}

class WritableEntity : public StoreContract {
 protected:
  WritableEntity() : StoreContract(two_of_each()) {}
  /// What the database itself has, not what is in memory.
  std::shared_ptr<const Image> reopened() {
    const auto again = SqliteStore::open(folder_.file("gibbon.db"), all_collections());
    EXPECT_TRUE(again.ok());
    return (*again)->read();
  }
};

TEST_P(WritableEntity, HasAnIdOfItsOwn) {
  for (const auto& collection : *all_collections())
    EXPECT_EQ(insert(collection, entity_of(collection, 1, 1)).error().code, ErrorCode::kPrimaryKeyViolation)
        << collection.name;
}

TEST_P(WritableEntity, HoldsItsUniqueFieldsAlone) {
  for (const auto& collection : *all_collections())
    for (const auto& field : collection.unique) {
      auto entity = entity_of(collection, 3, 1);
      entity[field] = entity_of(collection, 1, 1).at(field);
      const auto refused = insert(collection, entity);
      ASSERT_FALSE(refused.ok()) << collection.name << "." << field;
      EXPECT_EQ(refused.error().code, ErrorCode::kUniqueViolation);
      EXPECT_EQ(*refused.error().fields, (json::object{{field, entity.at(field)}})) << collection.name;
      entity["id"] = id_of(1);
      EXPECT_TRUE(put(collection, entity).ok()) << collection.name << "." << field;  // its own
      EXPECT_TRUE(put(collection, entity_of(collection, 1, 1)).ok());
    }
}

TEST_P(WritableEntity, HoldsItsKeyOfSeveralFieldsAloneNullsIncluded) {
  for (const auto& collection : *all_collections()) {
    if (collection.cache_key().size() < 2) continue;
    for (std::size_t nulls = 0; nulls < collection.cache_key().size(); ++nulls) {
      auto first = entity_of(collection, 10 + static_cast<int>(nulls), 1);
      for (const auto& field : collection.unique) first[field] = nullptr;
      // From the last on, one field more is null each time.
      for (std::size_t i = 0; i < nulls; ++i)
        first[collection.cache_key()[collection.cache_key().size() - 1 - i]] = nullptr;
      ASSERT_TRUE(insert(collection, first).ok()) << collection.name << " with " << nulls << " nulls";
      auto second = first;
      second["id"] = id_of(90);
      EXPECT_EQ(insert(collection, second).error().code, ErrorCode::kUniqueViolation)
          << collection.name << " with " << nulls << " nulls";
    }
  }
}

TEST_P(WritableEntity, RefersToWhatExists) {
  for (const auto& collection : *all_collections())
    for (const auto& foreign : collection.foreign) {
      auto entity = entity_of(collection, 3, 1);
      entity[foreign.field] = json::object{{"id", id_of(9)}};
      const auto refused = insert(collection, entity);
      ASSERT_FALSE(refused.ok()) << collection.name << "." << foreign.field;
      EXPECT_EQ(refused.error().code, ErrorCode::kForeignKeyViolation);
      EXPECT_EQ(refused.error().message, "the foreign key '{id=\"" + id_of(9) +
                                             "\"}' does not reference an existing '" + foreign.collection +
                                             "' entity.");
    }
}

TEST_P(WritableEntity, ParentsStayWhileAChildHoldsOnToThem) {
  for (const auto& collection : *all_collections()) {
    std::vector<std::string> holders;
    for (const auto& child : *all_collections())
      for (const auto& foreign : child.foreign)
        if (foreign.collection == collection.name && !foreign.cascades) holders.push_back(child.name);
    if (holders.empty()) continue;
    const auto before = store_->read();
    const auto refused = remove(collection, 1);
    ASSERT_FALSE(refused.ok()) << collection.name;
    EXPECT_EQ(refused.error().code, ErrorCode::kForeignKeyViolation);
    EXPECT_EQ(refused.error().message, "an existing '" + holders.front() + "' entity references this '" +
                                           collection.name + "' entity");
    EXPECT_EQ(store_->read(), before) << "nothing was done by halves";
  }
}

TEST_P(WritableEntity, ChildrenGoWithTheirParentsLevelByLevel) {
  // The note holds on to the key, two levels below the consumer: nothing goes.
  EXPECT_EQ(remove(all_collections()->at("consumers"), 1).error().message,
            "an existing 'notes' entity references this 'keys' entity");
  EXPECT_NE(store_->read()->find("plugins", id_of(1)), nullptr);
  ASSERT_TRUE(remove(all_collections()->at("notes"), 1).ok());
  ASSERT_TRUE(remove(all_collections()->at("consumers"), 1).ok());
  for (const auto& image : {store_->read(), reopened()}) {
    for (const char* gone : {"consumers", "keys", "tokens", "plugins"}) {
      EXPECT_EQ(image->find(gone, id_of(1)), nullptr) << gone;
      EXPECT_NE(image->find(gone, id_of(2)), nullptr) << gone;
    }
    EXPECT_NE(image->find("services", id_of(1)), nullptr);
  }
  // What they held is free again.
  EXPECT_TRUE(
      insert(all_collections()->at("consumers"), entity_of(all_collections()->at("consumers"), 1, 1)).ok());
  EXPECT_TRUE(insert(all_collections()->at("keys"), entity_of(all_collections()->at("keys"), 1, 1)).ok());
}

TEST_P(WritableEntity, EachKindCanBeWrittenAndReadBack) {
  for (const auto& collection : *all_collections()) {
    ASSERT_TRUE(insert(collection, entity_of(collection, 3, 1)).ok()) << collection.name;
    auto changed = entity_of(collection, 3, 2);
    changed["tags"] = json::array{"changed"};
    ASSERT_TRUE(put(collection, changed).ok()) << collection.name;
  }
  const auto image = reopened();
  for (const auto& collection : *all_collections()) {
    const auto row = image->find(collection.name, id_of(3));
    ASSERT_NE(row, nullptr) << collection.name;
    EXPECT_EQ(row->at("tags"), json::array{"changed"});
  }
}

TEST_P(WritableEntity, ManyAtOnceMayExchangeWhatIsUnique) {
  const auto& keys = all_collections()->at("keys");
  auto first = entity_of(keys, 1, 1), second = entity_of(keys, 2, 2);
  std::swap(first["name"], second["name"]);
  const auto rows = [](const json::object& a, const json::object& b) {
    return Image::Rows{{std::string(text_of(a, "id")), std::make_shared<const json::object>(a)},
                       {std::string(text_of(b, "id")), std::make_shared<const json::object>(b)}};
  };
  const auto exchange = [&](const json::object& a, const json::object& b) {
    return write([&](Transaction& t) -> Outcome<Row> {
      if (auto error = t.put_all(keys, rows(a, b))) return *error;
      return Row();
    });
  };
  ASSERT_TRUE(exchange(first, second).ok());
  EXPECT_EQ(text_of(*reopened()->find_by("keys", "name", "keys-2"), "id"), id_of(1));
  const auto before = store_->read();
  ASSERT_TRUE(exchange(first, second).ok());
  EXPECT_EQ(store_->read(), before) << "what is there already is no change";
  second["name"] = first["name"];
  EXPECT_EQ(exchange(first, second).error().code, ErrorCode::kUniqueViolation);
  EXPECT_EQ(store_->read(), before);
}

TEST_P(WritableEntity, PagesStayInOrderWhileEntitiesComeAndGo) {
  const auto& keys = all_collections()->at("keys");
  for (int n = 3; n <= 9; ++n) ASSERT_TRUE(insert(keys, entity_of(keys, n * 10, 1)).ok());
  PageQuery query;
  query.size = 3;
  std::vector<std::string> seen;
  for (int round = 0;; ++round) {
    const auto page = store_->read()->page("keys", query);
    ASSERT_TRUE(page.ok());
    for (const auto& key : page.value().data) seen.emplace_back(text_of(key.as_object(), "id"));
    query.offset = page.value().offset;
    if (query.offset.empty()) break;
    // The last that was shown goes, one comes behind where the reader is, and one before.
    ASSERT_TRUE(write([&](Transaction& t) { return t.remove(keys, seen.back()); }).ok());
    if (round == 0) {
      ASSERT_TRUE(insert(keys, entity_of(keys, 75, 1)).ok());
      ASSERT_TRUE(insert(keys, entity_of(keys, 5, 1)).ok());
    }
  }
  std::vector<std::string> expected;
  for (const int n : {1, 2, 30, 40, 50, 60, 70, 75, 80, 90}) expected.push_back(id_of(n));
  EXPECT_EQ(seen, expected);
}

TEST_P(WritableEntity, ComesBackWithThePluginThatBringsIt) {
  ASSERT_TRUE(store_->adopt(Collections::core()).ok());
  EXPECT_TRUE(store_->read()->rows("keys").empty());
  EXPECT_EQ(store_->read()->collections().find("keys"), nullptr);
  ASSERT_TRUE(
      insert(Collections::core()->at("consumers"), entity_of(Collections::core()->at("consumers"), 3, 1))
          .ok());
  ASSERT_TRUE(store_->adopt(all_collections()).ok());
  EXPECT_EQ(store_->read()->rows("keys").size(), 2u);
  EXPECT_EQ(store_->read()->rows("consumers").size(), 3u);
  EXPECT_EQ(
      insert(all_collections()->at("keys"), entity_of(all_collections()->at("keys"), 1, 1)).error().code,
      ErrorCode::kPrimaryKeyViolation);
}

struct Recorder : ChangeListener {
  Status prepare(const Image& image, const std::vector<Change>*) override {
    prepared = image.rows("consumers").size();
    return refuses ? Status(Error{"refused", ""}) : Status();
  }
  void committed() override { live = prepared; }
  void abandoned() override { ++abandonments; }
  bool refuses = false;
  std::size_t prepared = 0, live = 2;
  int abandonments = 0;
};

TEST_P(WritableEntity, WhatAnotherProgramWroteGoesLive) {
  Recorder gateway;
  store_->listen(&gateway);
  ASSERT_TRUE(store_->catch_up().ok());
  EXPECT_EQ(gateway.prepared, 0u) << "nothing had changed";
  const auto& consumers = all_collections()->at("consumers");
  const auto other = SqliteStore::open(folder_.file("gibbon.db"), all_collections()).value();
  const auto add = [&](Store& store, int n) {
    return store.write([&](Transaction& t) { return t.insert(consumers, entity_of(consumers, n, 1)); });
  };
  ASSERT_TRUE(add(*other, 3).ok());
  EXPECT_EQ(store_->read()->rows("consumers").size(), 2u);
  ASSERT_TRUE(store_->catch_up().ok());
  EXPECT_EQ(store_->read()->rows("consumers").size(), 3u);
  EXPECT_EQ(gateway.live, 3u);

  // A write takes it over as well, also where the write itself is refused.
  ASSERT_TRUE(add(*other, 4).ok());
  EXPECT_EQ(add(*store_, 3).error().code, ErrorCode::kPrimaryKeyViolation);
  EXPECT_EQ(gateway.live, 4u);

  // What the gateway cannot take is seen, and a write that puts it right goes through.
  ASSERT_TRUE(add(*other, 5).ok());
  gateway.refuses = true;
  EXPECT_FALSE(store_->catch_up().ok());
  EXPECT_EQ(store_->read()->rows("consumers").size(), 5u);
  EXPECT_EQ(gateway.live, 4u);
  gateway.refuses = false;
  ASSERT_TRUE(remove(consumers, 5).ok());
  EXPECT_EQ(gateway.live, 4u);
  EXPECT_EQ(gateway.prepared, 4u);
  store_->listen(nullptr);
}

INSTANTIATE_TEST_SUITE_P(Stores, EveryEntity, ::testing::Values(kSqlite, kDeclarative), backend_name);
INSTANTIATE_TEST_SUITE_P(Stores, DifficultContent, ::testing::Values(kSqlite, kDeclarative), backend_name);
INSTANTIATE_TEST_SUITE_P(Stores, WritableEntity, ::testing::Values(kSqlite), backend_name);

}  // namespace
}  // namespace gibbon::agent::test
