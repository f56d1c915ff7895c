// What every store promises; where it takes changes, what they promise too.
#include <thread>

#include "store_contract.hpp"

namespace gibbon::agent::test {
namespace {

const Collection& services() { return Collections::core()->at("services"); }
const Collection& routes() { return Collections::core()->at("routes"); }
const Collection& plugins() { return Collections::core()->at("plugins"); }

std::string id(int n) { return id_of(n); }

json::object service(int n, const std::string& name, json::array tags = {}) {
  return {{"id", id(n)}, {"name", name}, {"host", "h"}, {"tags", tags.empty() ? json::value(nullptr) : tags}};
}

json::object route(int n, const std::string& name, int service) {
  return {{"id", id(n)}, {"name", name}, {"service", {{"id", id(service)}}}};
}

json::object plugin(int n, const std::string& name, json::value service, json::value route = nullptr) {
  return {{"id", id(n)},
          {"name", name},
          {"instance_name", nullptr},
          {"service", std::move(service)},
          {"route", std::move(route)},
          {"consumer", nullptr}};
}

json::value ref(int n) { return json::object{{"id", id(n)}}; }

Image sample() {
  Image image;
  image.put(services(), service(1, "a", {"x", "y"}));
  image.put(services(), service(2, "b", {"x"}));
  image.put(services(), service(3, "c"));
  image.put(routes(), route(11, "r1", 1));
  image.put(routes(), route(12, "r2", 1));
  image.put(routes(), route(13, "r3", 2));
  image.put(plugins(), plugin(21, "p", ref(1)));
  return image;
}

class AnyStore : public StoreContract {
 protected:
  AnyStore() : StoreContract(sample()) {}
};

TEST_P(AnyStore, FindsByIdAndByName) {
  const auto image = store_->read();
  ASSERT_NE(image->find("services", id(2)), nullptr);
  EXPECT_EQ(*image->find("services", id(2)), service(2, "b", {"x"}));
  EXPECT_EQ(image->find_by("services", "name", "b"), image->find("services", id(2)));
  EXPECT_EQ(image->find("services", id(9)), nullptr);
  EXPECT_EQ(image->find_by("services", "name", "nope"), nullptr);
  EXPECT_EQ(image->find_by("nothing", "name", "b"), nullptr);
}

TEST_P(AnyStore, PagesInTheOrderOfIdsAndEveryEntityOnce) {
  const auto image = store_->read();
  std::vector<std::string> seen;
  PageQuery query;
  query.size = 2;
  do {
    auto page = image->page("services", query);
    ASSERT_TRUE(page.ok());
    for (const auto& entity : page.value().data) seen.emplace_back(text_of(entity.as_object(), "name"));
    query.offset = page.value().offset;
  } while (!query.offset.empty());
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_P(AnyStore, AnExactlyFullPageIsTheLast) {
  PageQuery query;
  query.size = 3;
  EXPECT_EQ(store_->read()->page("services", query).value().offset, "");
}

TEST_P(AnyStore, FiltersByTags) {
  PageQuery query;
  query.tags = {"x", "y"};
  EXPECT_EQ(store_->read()->page("services", query).value().data.size(), 1u);
  query.tag_match = PageQuery::TagMatch::kAny;
  EXPECT_EQ(store_->read()->page("services", query).value().data.size(), 2u);
}

TEST_P(AnyStore, ListsTheChildrenOfAParent) {
  PageQuery query;
  query.foreign_field = "service";
  query.foreign_id = id(1);
  query.size = 1;
  auto first = store_->read()->page("routes", query);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(text_of(first.value().data.at(0).as_object(), "name"), "r1");
  query.offset = first.value().offset;
  auto second = store_->read()->page("routes", query);
  EXPECT_EQ(text_of(second.value().data.at(0).as_object(), "name"), "r2");
  EXPECT_EQ(second.value().offset, "");
}

TEST_P(AnyStore, RefusesSizesAndOffsetsThatMeanNothing) {
  PageQuery query;
  query.size = 0;
  EXPECT_EQ(store_->read()->page("services", query).error().code, ErrorCode::kInvalidSize);
  query.size = 1;
  for (const char* offset : {"bad", "!!", "WzFd", "W10"}) {
    query.offset = offset;
    EXPECT_EQ(store_->read()->page("services", query).error().code, ErrorCode::kInvalidOffset) << offset;
  }
}

TEST_P(AnyStore, ListsTagsPageByPage) {
  const auto image = store_->read();
  PageQuery query;
  query.size = 2;
  auto first = image->tags(std::nullopt, query);
  ASSERT_EQ(first.value().data.size(), 2u);
  query.offset = first.value().offset;
  auto second = image->tags(std::nullopt, query);
  ASSERT_EQ(second.value().data.size(), 1u);
  EXPECT_EQ(second.value().data.at(0).at("entity_id").as_string(), id(2));
  EXPECT_EQ(image->tags("y", PageQuery{}).value().data.size(), 1u);
}

TEST_P(AnyStore, AReaderKeepsWhatItRead) {
  const auto before = store_->read();
  if (store_->writable()) {
    ASSERT_TRUE(insert(services(), service(4, "d")).ok());
  } else {
    ASSERT_TRUE(dynamic_cast<DeclarativeStore&>(*store_).replace(Image()).ok());
  }
  EXPECT_EQ(before->rows("services").size(), 3u);
  EXPECT_NE(store_->read()->rows("services").size(), 3u);
}

class WritableStore : public StoreContract {
 protected:
  WritableStore() : StoreContract(sample()) {}
};

TEST_P(WritableStore, RefusesAnIdThatExists) {
  EXPECT_EQ(insert(services(), service(1, "z")).error().code, ErrorCode::kPrimaryKeyViolation);
}

TEST_P(WritableStore, RefusesANameThatExists) {
  const auto refused = insert(services(), service(9, "a"));
  EXPECT_EQ(refused.error().code, ErrorCode::kUniqueViolation);
  EXPECT_EQ(refused.error().message, "UNIQUE violation detected on '{name=\"a\"}'");
  EXPECT_EQ(put(services(), service(2, "a")).error().code, ErrorCode::kUniqueViolation);
  EXPECT_TRUE(put(services(), service(1, "a")).ok());  // its own
  ASSERT_TRUE(put(services(), service(1, "renamed")).ok());
  EXPECT_TRUE(insert(services(), service(9, "a")).ok());  // free again
}

TEST_P(WritableStore, RefusesAPluginTwiceInTheSamePlace) {
  EXPECT_EQ(insert(plugins(), plugin(29, "p", ref(1))).error().code, ErrorCode::kUniqueViolation);
  EXPECT_TRUE(insert(plugins(), plugin(29, "p", ref(2))).ok());
  EXPECT_TRUE(insert(plugins(), plugin(30, "p", nullptr, ref(11))).ok());
  EXPECT_TRUE(insert(plugins(), plugin(31, "p", nullptr)).ok());
  EXPECT_EQ(insert(plugins(), plugin(32, "p", nullptr)).error().code, ErrorCode::kUniqueViolation);
}

TEST_P(WritableStore, RefusesAReferenceToNothing) {
  EXPECT_EQ(insert(routes(), route(19, "r9", 9)).error().code, ErrorCode::kForeignKeyViolation);
  auto entity = plugin(29, "p", ref(2));
  entity["consumer"] = ref(1);  // there are no consumers at all
  EXPECT_EQ(insert(plugins(), entity).error().code, ErrorCode::kForeignKeyViolation);
}

TEST_P(WritableStore, DeletingAParentIsRefusedWhileRoutesReferToIt) {
  EXPECT_EQ(remove(services(), 1).error().message,
            "an existing 'routes' entity references this 'services' entity");
  EXPECT_NE(store_->read()->find("plugins", id(21)), nullptr);  // nothing was done by halves
  ASSERT_TRUE(remove(routes(), 11).ok());
  ASSERT_TRUE(remove(routes(), 12).ok());
  ASSERT_TRUE(remove(services(), 1).ok());
  EXPECT_EQ(store_->read()->find("plugins", id(21)), nullptr);  // went with its service
}

TEST_P(WritableStore, ATransactionThatFailsLeavesNothing) {
  const auto failed = write([&](Transaction& t) -> Outcome<Row> {
    EXPECT_TRUE(t.insert(services(), service(4, "d")).ok());
    EXPECT_NE(t.image().find("services", id(4)), nullptr);
    return t.insert(services(), service(5, "a"));
  });
  EXPECT_FALSE(failed.ok());
  EXPECT_EQ(store_->read()->find("services", id(4)), nullptr);
}

TEST_P(WritableStore, OneOfManyWritersWins) {
  std::atomic<int> won = 0;
  std::vector<std::thread> writers;
  for (int n = 0; n < 8; ++n)
    writers.emplace_back([&, n] {
      for (int i = 0; i < 20; ++i)
        if (insert(services(), service(100 + n * 20 + i, "race-" + std::to_string(i))).ok()) ++won;
    });
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(won, 20);
  EXPECT_EQ(store_->read()->rows("services").size(), 23u);
}

TEST_P(WritableStore, ARefusedPublicationStoresNothing) {
  struct Refusing : ChangeListener {
    Status prepare(const Image&, const std::vector<Change>*) override { return Error{"no room", ""}; }
    void committed() override { ADD_FAILURE(); }
    void abandoned() override {}
  } listener;
  store_->listen(&listener);
  EXPECT_EQ(insert(services(), service(4, "d")).error().code, ErrorCode::kDatabase);
  EXPECT_EQ(store_->read()->find("services", id(4)), nullptr);
  store_->listen(nullptr);
  EXPECT_TRUE(insert(services(), service(4, "d")).ok());
}

INSTANTIATE_TEST_SUITE_P(Stores, AnyStore, ::testing::Values(kSqlite, kDeclarative), backend_name);
INSTANTIATE_TEST_SUITE_P(Stores, WritableStore, ::testing::Values(kSqlite), backend_name);

}  // namespace
}  // namespace gibbon::agent::test
