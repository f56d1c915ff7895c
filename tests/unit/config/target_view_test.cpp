#include "config/target_view.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "../record/temporary_directory.hpp"

namespace gibbon::config {
namespace {

TargetPlan plan(const std::string& target) {
  Target entity;
  entity.target = target;
  return TargetPlan::parse(entity);
}

TEST(TargetPlan, TakesTargetsApart) {
  EXPECT_EQ(plan("example.test:81").host, "example.test");
  EXPECT_EQ(plan("example.test:81").port, 81);
  EXPECT_EQ(plan("example.test").port, 8000);
  EXPECT_EQ(plan("[2001:db8::1]:81").host, "[2001:db8::1]");
  EXPECT_EQ(plan("[2001:db8::1]:81").port, 81);
  EXPECT_EQ(plan("[2001:db8::1]").port, 8000);
  EXPECT_EQ(plan("2001:db8::1").host, "2001:db8::1");
}

TEST(TargetView, KnowsAddresses) {
  EXPECT_EQ(literal_address("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(literal_address("[2001:DB8:0::1]"), "2001:db8::1");
  EXPECT_EQ(literal_address("example.test"), std::nullopt);
}

TEST(TargetView, ComesBackAsItWasWritten) {
  const testing::TemporaryDirectory directory;
  ASSERT_TRUE(save_target_views(
      directory.path(), "u",
      {{"a.test:80", "SRV", {{"10.0.0.1", 81, 7}}}, {"b.test:80", "dns server error: 3 name error", {}}}));
  const auto views = load_target_views(directory.path(), "u");
  ASSERT_TRUE(views);
  ASSERT_EQ(views->size(), 2u);
  EXPECT_EQ(views->at(0).target, "a.test:80");
  EXPECT_EQ(views->at(0).dns, "SRV");
  EXPECT_EQ(views->at(0).addresses.at(0).ip, "10.0.0.1");
  EXPECT_EQ(views->at(0).addresses.at(0).port, 81);
  EXPECT_EQ(views->at(0).addresses.at(0).weight, 7u);
  EXPECT_TRUE(views->at(1).addresses.empty());
}

TEST(TargetView, NoTargetsIsNoFile) {
  const testing::TemporaryDirectory directory;
  ASSERT_TRUE(save_target_views(directory.path(), "u", {{"a.test:80", "A", {}}}));
  ASSERT_TRUE(save_target_views(directory.path(), "u", {}));
  ASSERT_TRUE(save_target_views(directory.path(), "u", {}));
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  EXPECT_TRUE(load_target_views(directory.path(), "u")->empty());
}

TEST(TargetView, ADamagedFileIsAnError) {
  const testing::TemporaryDirectory directory;
  std::ofstream(directory.path() + "/targets.u") << "[{}]";
  EXPECT_FALSE(load_target_views(directory.path(), "u"));
}

}  // namespace
}  // namespace gibbon::config
