#include "gateway/consumers/entity_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gibbon/fields.hpp"

namespace gibbon::gateway {
namespace {

using namespace gibbon::fields;

const std::vector<Entity>& kinds() {
  static const std::vector<Entity> all = {
      {.name = "keys",
       .schema = record({{"id", id()}, {"consumer", owner()}, {"key", string().unique()}}),
       .endpoint_key = "key"},
      {.name = "groups",
       .schema = record({{"id", id()}, {"consumer", owner()}, {"group", string()}}),
       .endpoint_key = "group"}};
  return all;
}

std::shared_ptr<const config::PluginEntity> entity(std::string id, std::string consumer, std::string field,
                                                   std::string value, std::int64_t expires_at_s = 0) {
  config::PluginEntity made{id, consumer, expires_at_s, {{"id", id}, {"consumer", consumer}}};
  made.fields.emplace_back(std::move(field), std::move(value));
  return std::make_shared<const config::PluginEntity>(std::move(made));
}

class EntityIndexTest : public testing::Test {
 protected:
  EntityIndexTest() {
    snapshot.consumers = {{{}, "c1", "ada", "7"}, {{}, "c2", "", "8"}, {{}, "c3", "c1", ""}};
    snapshot.plugin_entities["keys"] = {entity("k1", "c1", "key", "one"),
                                        entity("k2", "c2", "key", "two", 100),
                                        entity("k3", "gone", "key", "three")};
    snapshot.plugin_entities["groups"] = {entity("g1", "c1", "group", "gold"),
                                          entity("g2", "c1", "group", "blue", 100),
                                          entity("g3", "c2", "group", "gold")};
    snapshot.plugin_entities["strange"] = {entity("s1", "c1", "key", "one")};
  }
  std::string groups(const EntityIndex& index, const Consumer& consumer, std::int64_t now_s) {
    std::string text;
    const auto add = [&](const EntityView& row) { text.append(row.field("group")).append(" "); };
    index.each_of_consumer("groups", consumer, now_s, add);
    return text;
  }
  config::Snapshot snapshot;
};

TEST_F(EntityIndexTest, FindsAnEntityAndItsConsumerByItsKey) {
  const EntityIndex index(snapshot, kinds());
  const EntityView* found = index.find("keys", "one", 0);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->id, "k1");
  EXPECT_EQ(found->field("key"), "one");
  EXPECT_EQ(found->field("consumer"), "c1");
  EXPECT_EQ(found->field("nope"), "");
  ASSERT_NE(found->consumer, nullptr);
  EXPECT_EQ(found->consumer->username, "ada");
  EXPECT_EQ(found->consumer->custom_id, "7");
  EXPECT_EQ(index.find("keys", "nobody's", 0), nullptr);
  EXPECT_EQ(index.find("keys", "", 0), nullptr);
  EXPECT_EQ(index.find("strange", "one", 0), nullptr) << "no plugin brings it";
  EXPECT_EQ(index.find("groups", "gold", 0), nullptr) << "its key is not unique";
  EXPECT_EQ(index.find("keys", "three", 0)->consumer, nullptr);
}

TEST_F(EntityIndexTest, WhatHasRunOutIsNotFound) {
  const EntityIndex index(snapshot, kinds());
  EXPECT_NE(index.find("keys", "two", 99), nullptr);
  EXPECT_EQ(index.find("keys", "two", 100), nullptr);
  EXPECT_EQ(groups(index, *index.find_consumer("c1"), 99), "gold blue ");
  EXPECT_EQ(groups(index, *index.find_consumer("c1"), 100), "gold ");
}

TEST_F(EntityIndexTest, FindsConsumersByIdBeforeUsername) {
  const EntityIndex index(snapshot, kinds());
  EXPECT_EQ(index.find_consumer("c1")->username, "ada");
  EXPECT_EQ(index.find_consumer("ada")->id, "c1");
  EXPECT_EQ(index.find_consumer("7"), nullptr) << "not by custom_id";
  EXPECT_EQ(index.find_consumer(""), nullptr);
  EXPECT_EQ(groups(index, *index.find_consumer("c3"), 0), "");
}

}  // namespace
}  // namespace gibbon::gateway
