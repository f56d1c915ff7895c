#include "gateway/chain/runtime.hpp"

#include <gtest/gtest.h>

#include "test_plugins.hpp"

namespace gibbon::gateway::test {
namespace {

config::Snapshot snapshot() {
  config::Snapshot result;
  result.generation = 7;
  config::Service service;
  service.id = "s1";
  service.host = "upstream.test";
  result.services.push_back(service);
  config::Route with, without, broken;
  with.id = "r1";
  with.service_id = "s1";
  with.paths = {"/with"};
  without.id = "r2";
  without.paths = {"/without"};
  broken.id = "r3";
  broken.paths = {"~/("};
  result.routes = {broken, with, without};
  result.plugins = {configuration("logger", "g", "", "", "", 1), configuration("auth", "refused", "r1", "", "", 2),
                    configuration("late", "s", "", "s1", "", 3)};
  return result;
}

std::unique_ptr<Runtime> build() {
  Result<std::unique_ptr<Runtime>> runtime = Runtime::build(snapshot(), test_registry());
  EXPECT_TRUE(runtime);
  return std::move(runtime).value();
}

bool match(const Runtime& runtime, std::string_view path, Match* match) {
  MatchInput input;
  input.method = "GET";
  input.path = path;
  return runtime.match(input, match);
}

TEST(Runtime, LeadsFromARequestToItsRouteServiceAndChain) {
  const std::unique_ptr<Runtime> runtime = build();
  EXPECT_EQ(runtime->generation(), 7U);
  Match found;
  ASSERT_TRUE(match(*runtime, "/with/x", &found));
  EXPECT_EQ(runtime->route(found).id, "r1");
  ASSERT_NE(runtime->service(found), nullptr);
  EXPECT_EQ(runtime->service(found)->host, "upstream.test");
  ASSERT_EQ(runtime->chain(found).all().size(), 2U);
  EXPECT_STREQ(runtime->chain(found).all()[0].plugin->name, "logger");
  EXPECT_STREQ(runtime->chain(found).all()[1].plugin->name, "late");

  ASSERT_TRUE(match(*runtime, "/without", &found));
  EXPECT_EQ(runtime->service(found), nullptr);
  EXPECT_EQ(&runtime->chain(found), &runtime->global_chain());
  EXPECT_FALSE(match(*runtime, "/none", &found));
}

TEST(Runtime, TellsWhatItLeftOut) {
  const std::unique_ptr<Runtime> runtime = build();
  ASSERT_EQ(runtime->warnings().size(), 2U);
  EXPECT_NE(runtime->warnings()[0].message.find("route 'r3' is left out"), std::string::npos);
  EXPECT_NE(runtime->warnings()[1].message.find("label is refused"), std::string::npos);
}

TEST(Runtime, CountsItsReferences) {
  const std::unique_ptr<Runtime> runtime = build();
  runtime->retain();
  runtime->retain();
  EXPECT_EQ(runtime->release(), 1U);
  EXPECT_EQ(runtime->references(), 1U);
  EXPECT_EQ(runtime->release(), 0U);
}

TEST(Runtime, DestroysWhatTheAdapterLeftInItsSlots) {
  std::unique_ptr<Runtime> runtime = build();
  int destroyed = 0;
  runtime->adapter_slot(0) = {&destroyed, [](void* data) { ++*static_cast<int*>(data); }};
  EXPECT_EQ(runtime->adapter_slot(0).data, &destroyed);
  runtime.reset();
  EXPECT_EQ(destroyed, 1);
}

TEST(Runtime, OfAnEmptySnapshotServesNothing) {
  Result<std::unique_ptr<Runtime>> runtime = Runtime::build({}, test_registry());
  ASSERT_TRUE(runtime);
  Match found;
  EXPECT_FALSE(match(**runtime, "/", &found));
  EXPECT_TRUE((*runtime)->global_chain().all().empty());
}

}  // namespace
}  // namespace gibbon::gateway::test
