#include "gateway/chain/chain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_plugins.hpp"

namespace gibbon::gateway::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> labels(std::span<const ChainItem> items) {
  std::vector<std::string> result;
  for (const ChainItem& item : items) {
    result.push_back(std::string(item.plugin->name) + ":" + static_cast<const LabelConfig*>(item.config)->label);
  }
  return result;
}

class ChainTest : public testing::Test {
 protected:
  config::Plugin& add(std::string name, std::string label, std::string route, std::string service,
                      std::string consumer = "") {
    return plugins.emplace_back(configuration(std::move(name), std::move(label), std::move(route), std::move(service),
                                              std::move(consumer), ++count));
  }
  void build() { chains = Chains::build(plugins, routes, test_registry(), &problems); }
  static config::Route route(std::string id, std::string service) {
    config::Route result;
    result.id = std::move(id);
    result.service_id = std::move(service);
    return result;
  }

  std::vector<config::Route> routes = {route("r1", "s1"), route("r2", "s1"), route("r3", "s2"), route("r4", "")};
  std::vector<config::Plugin> plugins;
  std::vector<Error> problems;
  std::unique_ptr<Chains> chains;
  unsigned count = 0;
};

TEST_F(ChainTest, TheMostSpecificConfigurationRuns) {
  struct Level { const char *label, *route, *service, *consumer; };
  const std::vector<Level> levels = {{"rsc", "r1", "s1", "c1"}, {"rc", "r1", "", "c1"}, {"sc", "", "s1", "c1"},
                                     {"rs", "r1", "s1", ""},    {"c", "", "", "c1"},    {"r", "r1", "", ""},
                                     {"s", "", "s1", ""},       {"g", "", "", ""}};
  for (std::size_t first = 0; first < levels.size(); ++first) {
    plugins.clear();
    // The least specific is added first: the order of the entities says nothing.
    for (std::size_t i = levels.size(); i-- > first;) {
      add("logger", levels[i].label, levels[i].route, levels[i].service, levels[i].consumer);
    }
    build();
    EXPECT_THAT(labels(chains->for_consumer(0, "c1").all()), ElementsAre("logger:" + std::string(levels[first].label)));
  }
  EXPECT_TRUE(problems.empty());
}

TEST_F(ChainTest, TellsAllConfigurationsOfAPlugin) {
  add("logger", "g", "", "");
  add("logger", "c", "", "", "c1");
  add("logger", "off", "r1", "").enabled = false;
  add("logger", "r", "r2", "");
  build();
  const auto labels_of = [&](const char* name) {
    std::vector<std::string> found;
    for (const void* config : chains->configurations_of(*test_registry().find(name)))
      found.push_back(static_cast<const LabelConfig*>(config)->label);
    return found;
  };
  EXPECT_THAT(labels_of("logger"), ElementsAre("g", "c", "r"));
  for (const PluginDescriptor* plugin : test_registry().all()) {
    if (std::string_view(plugin->name) == "logger") continue;
    EXPECT_THAT(labels_of(plugin->name), IsEmpty());
  }
}

TEST_F(ChainTest, WithoutAConsumerItsLevelsDoNotCount) {
  add("logger", "rsc", "r1", "s1", "c1");
  add("logger", "c", "", "", "c1");
  add("logger", "s", "", "s1");
  add("logger", "g", "", "");
  build();
  EXPECT_THAT(labels(chains->route(0).all()), ElementsAre("logger:s"));
  EXPECT_THAT(labels(chains->route(2).all()), ElementsAre("logger:g"));
  EXPECT_THAT(labels(chains->route(3).all()), ElementsAre("logger:g"));
  EXPECT_THAT(labels(chains->global().all()), ElementsAre("logger:g"));
  EXPECT_THAT(labels(chains->for_consumer(0, "c1").all()), ElementsAre("logger:rsc"));
  EXPECT_THAT(labels(chains->for_consumer(2, "c1").all()), ElementsAre("logger:c"));
  EXPECT_THAT(labels(chains->for_consumer(UINT32_MAX, "c1").all()), ElementsAre("logger:c"));
  EXPECT_EQ(&chains->for_consumer(0, "c2"), &chains->route(0));
  EXPECT_EQ(&chains->for_consumer(0, ""), &chains->route(0));
}

TEST_F(ChainTest, ARouteScopedConfigurationOfAnotherServiceDoesNotRun) {
  add("logger", "rs", "r1", "s2");
  add("logger", "r", "r1", "");
  build();
  EXPECT_THAT(labels(chains->route(0).all()), ElementsAre("logger:r"));
}

TEST_F(ChainTest, RunsByFallingPriorityWithOneConfigurationPerPlugin) {
  add("late", "g", "", "");
  add("logger", "g", "", "");
  add("logger", "r", "r1", "");
  add("auth", "s", "", "s1");
  build();
  EXPECT_THAT(labels(chains->route(0).all()), ElementsAre("auth:s", "logger:r", "late:g"));
  EXPECT_THAT(labels(chains->route(2).all()), ElementsAre("logger:g", "late:g"));
  EXPECT_EQ(chains->route(0).all()[0].ordinal, 0U);
  EXPECT_EQ(chains->route(2).all()[1].ordinal, 2U);
  EXPECT_EQ(chains->route(0).all()[1].plugin_id, config::parse_uuid(plugins[2].id));
}

TEST_F(ChainTest, APhaseHoldsOnlyPluginsThatHaveIt) {
  add("late", "g", "", "");
  add("logger", "g", "", "");
  add("auth", "g", "", "");
  build();
  const Chain& chain = chains->route(0);
  EXPECT_THAT(labels(chain.access()), ElementsAre("auth:g", "logger:g"));
  EXPECT_THAT(labels(chain.header_filter()), ElementsAre("late:g"));
  EXPECT_THAT(labels(chain.body_filter()), ElementsAre("logger:g"));
  EXPECT_THAT(labels(chain.log()), ElementsAre("logger:g"));
}

TEST_F(ChainTest, CertificateAndRewriteAreGlobalWhateverTheRoute) {
  add("auth", "g", "", "");
  add("auth", "r", "r1", "");
  build();
  EXPECT_THAT(labels(chains->route(0).access()), ElementsAre("auth:r"));
  EXPECT_THAT(labels(chains->route(0).rewrite()), ElementsAre("auth:g"));
  EXPECT_THAT(labels(chains->route(0).certificate()), ElementsAre("auth:g"));
  EXPECT_THAT(labels(chains->global().rewrite()), ElementsAre("auth:g"));
  plugins.erase(plugins.begin());
  build();
  EXPECT_THAT(labels(chains->route(0).rewrite()), IsEmpty());
}

TEST_F(ChainTest, ADisabledConfigurationMakesRoomForTheNextLevel) {
  add("logger", "r", "r1", "").enabled = false;
  add("logger", "g", "", "");
  build();
  EXPECT_THAT(labels(chains->route(0).all()), ElementsAre("logger:g"));
}

TEST_F(ChainTest, AConfigurationForStreamProtocolsAloneDoesNotRun) {
  add("logger", "r", "r1", "").protocols = {"tcp", "tls"};
  add("logger", "g", "", "").protocols = {"tcp", "grpcs"};
  build();
  EXPECT_THAT(labels(chains->route(0).all()), ElementsAre("logger:g"));
}

TEST_F(ChainTest, WhatCannotRunIsLeftOutAndTold) {
  add("unknown", "g", "", "");
  add("logger", "refused", "r1", "");
  add("logger", "g", "", "");
  add("logger", "twice", "", "");
  add("auth", "g", "", "").id = "no-uuid";
  build();
  EXPECT_THAT(labels(chains->route(0).all()), ElementsAre("logger:g"));
  ASSERT_EQ(problems.size(), 4U);
  EXPECT_EQ(problems[0].message, "plugin configuration " + plugins[0].id +
                                     " is left out: plugin 'unknown' not enabled; add it to the 'plugins' configuration property");
  EXPECT_EQ(problems[1].message, "plugin configuration " + plugins[1].id +
                                     " is left out: plugin 'logger' refuses its configuration: label is refused");
  EXPECT_THAT(problems[2].message, testing::HasSubstr("another configuration for the same"));
  EXPECT_THAT(problems[3].message, testing::HasSubstr("no UUID"));
}

TEST_F(ChainTest, EqualChainsAreOneObject) {
  add("logger", "g", "", "");
  add("auth", "s", "", "s1");
  build();
  EXPECT_EQ(&chains->route(0), &chains->route(1));
  EXPECT_EQ(&chains->route(2), &chains->global());
  EXPECT_NE(&chains->route(0), &chains->route(2));
}

TEST_F(ChainTest, AConsumersChainIsMadeOnce) {
  add("logger", "c", "", "", "c1");
  build();
  EXPECT_THAT(labels(chains->route(0).all()), IsEmpty());
  const Chain& chain = chains->for_consumer(0, "c1");
  EXPECT_THAT(labels(chain.log()), ElementsAre("logger:c"));
  EXPECT_EQ(&chain, &chains->for_consumer(0, "c1"));
  EXPECT_EQ(&chain, &chains->for_consumer(1, "c1"));
}

TEST_F(ChainTest, AConsumersConfigurationsCountBelowThePluginThatNamedIt) {
  add("auth", "g", "", "");
  add("auth", "c", "", "", "c1");
  add("logger", "g", "", "");
  add("logger", "c", "", "", "c1");
  add("late", "c", "", "", "c2");
  build();
  const Chain& before = chains->route(0);
  const Chain& with = chains->continue_with(before, 0, 0, "c1");
  EXPECT_THAT(labels(with.all()), ElementsAre("auth:g", "logger:c"));
  EXPECT_THAT(labels(chains->continue_with(before, 1, 0, "c1").all()), ElementsAre("auth:g", "logger:g"));
  EXPECT_THAT(labels(chains->continue_with(before, 1, 0, "c2").all()), ElementsAre("auth:g", "logger:g", "late:c"));
  EXPECT_THAT(labels(chains->continue_with(with, 1, 0, "c2").all()), ElementsAre("auth:g", "logger:c", "late:c"));
  EXPECT_EQ(&chains->continue_with(before, 0, 0, "c1"), &with) << "made once";
  EXPECT_EQ(&chains->continue_with(before, 0, 0, "c3"), &before) << "nothing is configured for it";
  EXPECT_EQ(&chains->continue_with(with, 0, 0, ""), &before) << "nobody after all";
}

TEST_F(ChainTest, SecretsOfAllConfigurationsAreNamedOnce) {
  add("auth", "X-One", "r1", "");
  add("auth", "x-one", "r2", "");
  add("auth", "two", "", "");
  build();
  EXPECT_THAT(chains->secret_names(), ElementsAre("x-one", "two"));
}

TEST_F(ChainTest, ConfigurationsAreFreed) {
  add("logger", "g", "", "");
  add("auth", "r", "r1", "");
  const int before = LabelConfig::alive;
  build();
  EXPECT_EQ(LabelConfig::alive, before + 2);
  chains.reset();
  EXPECT_EQ(LabelConfig::alive, before);
}

}  // namespace
}  // namespace gibbon::gateway::test
