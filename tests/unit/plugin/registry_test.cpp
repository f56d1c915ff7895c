#include "plugin/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace gibbon::plugin {
namespace {

using testing::HasSubstr;

const std::string kFixtures = GIBBON_BUILD_DIR "/tests/plugins";

std::vector<std::string> names(const Registry& registry) {
  std::vector<std::string> result;
  for (const PluginDescriptor* plugin : registry.all()) result.emplace_back(plugin->name);
  return result;
}

std::string error_of(const std::string& name) {
  const Result<Registry> registry = Registry::load({name}, {kFixtures});
  return registry ? "loaded" : registry.error().message;
}

TEST(Registry, LoadsPluginsByFallingPriorityThenName) {
  const Result<Registry> registry = Registry::load({"sound", "cors", "acl", "sound"}, {kFixtures});
  ASSERT_TRUE(registry) << registry.error().message;
  EXPECT_THAT(names(*registry), testing::ElementsAre("cors", "acl", "sound"));
  ASSERT_NE(registry->find("sound"), nullptr);
  EXPECT_STREQ(registry->find("sound")->version, "1.2.3");
  EXPECT_EQ(registry->find("sound")->schema().fields.size(), 1U);
  EXPECT_NE(registry->find("sound")->log, nullptr);
  EXPECT_EQ(registry->find("sound")->access, nullptr);
  EXPECT_EQ(registry->find("soun"), nullptr);
}

TEST(Registry, BundledStandsForWhatKongBringsAlongAndIsInstalled) {
  const Result<Registry> registry = Registry::load({"bundled"}, {kFixtures});
  ASSERT_TRUE(registry) << registry.error().message;
  EXPECT_THAT(names(*registry), testing::ElementsAre("cors", "acl"));
  const Result<Registry> more = Registry::load({"bundled", "sound"}, {kFixtures});
  ASSERT_TRUE(more);
  EXPECT_THAT(names(*more), testing::ElementsAre("cors", "acl", "sound"));
  const Result<Registry> elsewhere = Registry::load({"bundled"}, {"/nonexistent", kFixtures});
  ASSERT_TRUE(elsewhere);
  EXPECT_THAT(names(*elsewhere), testing::IsEmpty());
}

TEST(Registry, OffAndNothingMeanNone) {
  for (const auto& given : {std::vector<std::string>{"off"}, std::vector<std::string>{}}) {
    const Result<Registry> registry = Registry::load(given, {kFixtures});
    ASSERT_TRUE(registry);
    EXPECT_TRUE(registry->all().empty());
  }
}

TEST(Registry, SearchesTheDirectoriesInTurn) {
  EXPECT_TRUE(Registry::load({"sound"}, {"/nonexistent", kFixtures}));
  const Result<Registry> missing = Registry::load({"nope"}, {"/nonexistent", kFixtures});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            "plugin 'nope' is not installed; looked for /nonexistent/nope.so, " + kFixtures + "/nope.so");
  EXPECT_THAT(Registry::load({"nope"}, {}).error().message, HasSubstr("no plugin directory is set"));
}

TEST(Registry, SaysWhatIsWrongWithAPlugin) {
  EXPECT_EQ(error_of("no-entry"), "plugin 'no-entry' (" + kFixtures +
                                      "/no-entry.so): has no entry point 'gibbon_plugin'; a plugin ends with GIBBON_PLUGIN(...)");
  EXPECT_THAT(error_of("wrong-abi"), HasSubstr("was built for version 9999 of the plugin kit, expected " +
                                               std::to_string(kPluginAbiVersion)));
  EXPECT_THAT(error_of("misnamed"), HasSubstr("calls itself 'another-name', expected 'misnamed'"));
  EXPECT_THAT(error_of("throws"), HasSubstr("its entry point threw: no licence"));
  EXPECT_THAT(error_of("unresolved"), HasSubstr("cannot be loaded: "));
  EXPECT_THAT(error_of("unresolved"), HasSubstr("gibbon_fixture_nowhere_defined"));
  for (const char* name : {"", "../sound", "a/b", ".hidden"}) EXPECT_THAT(error_of(name), HasSubstr("not a name")) << name;
}

TEST(Registry, OutlivesAPluginThatCrashesWhileItIsLoaded) {
  const auto file = [](const std::string& name) { return "plugin '" + name + "' (" + kFixtures + "/" + name + ".so): "; };
  EXPECT_EQ(error_of("aborts"), file("aborts") + "crashed while it was loaded (Aborted)");
  EXPECT_EQ(error_of("segfaults"), file("segfaults") + "crashed while it was loaded (Segmentation fault)");
  EXPECT_EQ(error_of("exits"), file("exits") + "ended the process while it was loaded (exit code 3)");
  EXPECT_THAT(error_of("throws-early"), HasSubstr(file("throws-early")));
  EXPECT_THAT(error_of("throws-early"), HasSubstr("no licence file"));
  // Those around it are looked at all the same.
  const Result<Registry> all = Registry::load({"sound", "aborts", "nope", "segfaults", "cors", "misnamed"}, {kFixtures});
  ASSERT_FALSE(all);
  const std::string& message = all.error().message;
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 3) << message;
  for (const char* name : {"'aborts'", "'nope'", "'segfaults'", "'misnamed'"}) EXPECT_THAT(message, HasSubstr(name));
}

TEST(Registry, SaysWhichOfAPluginsFunctionsThrew) {
  EXPECT_THAT(error_of("schema-throws"), HasSubstr("its schema threw: no schema today"));
  EXPECT_THAT(error_of("entities-throw"), HasSubstr("its entities() threw: no entities today"));
  EXPECT_THAT(error_of("metrics-throw"), HasSubstr("its metrics() threw something that is no std::exception"));
}

TEST(Registry, RefusesWhatCannotRunHere) {
  EXPECT_THAT(error_of("two-filters"), HasSubstr("has response beside header_filter or body_filter"));
  EXPECT_THAT(error_of("other-toolchain"), HasSubstr(std::string("was built with libc++, expected ") + kPluginToolchain));
}

TEST(Registry, TriesWithoutLoading) {
  EXPECT_TRUE(Registry::try_load({"sound"}, {kFixtures}));
  EXPECT_THAT(Registry::try_load({"aborts"}, {kFixtures}).error().message, HasSubstr("Aborted"));
}

TEST(Registry, ReportsAFileThatIsNoSharedObject) {
  std::string folder = testing::TempDir() + "gibbon-plugins-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::ofstream(folder + "/text.so") << "not a shared object";
  const Result<Registry> registry = Registry::load({"text"}, {folder});
  ASSERT_FALSE(registry);
  EXPECT_THAT(registry.error().message, HasSubstr("plugin 'text' (" + folder + "/text.so): cannot be loaded"));
  std::filesystem::remove_all(folder);
}

TEST(Registry, ReportsAllProblemsTogether) {
  const Result<Registry> registry = Registry::load({"sound", "nope", "misnamed", "throws"}, {kFixtures});
  ASSERT_FALSE(registry);
  EXPECT_EQ(registry.error().field, "plugins");
  const std::string& message = registry.error().message;
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 2);
  for (const char* name : {"'nope'", "'misnamed'", "'throws'"}) EXPECT_THAT(message, HasSubstr(name));
}

class ConfigObjectTest : public testing::Test {
 protected:
  const Result<Registry> registry_ = Registry::load({"sound"}, {kFixtures});
  const PluginDescriptor& sound_ = *registry_->find("sound");
};

TEST_F(ConfigObjectTest, HoldsWhatThePluginMade) {
  Result<ConfigObject> object = ConfigObject::make(sound_, {{"limit", 7}});
  ASSERT_TRUE(object);
  EXPECT_EQ(*static_cast<const std::int64_t*>(object->get()), 7);
  EXPECT_EQ(&object->plugin(), &sound_);
}

TEST_F(ConfigObjectTest, ReportsWhatThePluginThrew) {
  EXPECT_EQ(ConfigObject::make(sound_, {{"limit", -1}}).error().message,
            "plugin 'sound' refuses its configuration: limit must not be negative");
  EXPECT_THAT(ConfigObject::make(sound_, {{"limit", 999}}).error().message, HasSubstr("no std::exception"));
}

int freed = 0;

TEST(ConfigObject, IsFreedOnceByItsPlugin) {
  PluginDescriptor plugin{};
  plugin.name = "counting";
  plugin.make_config = [](const ConfigView&) -> void* { return new int(1); };
  plugin.free_config = [](void* config) { delete static_cast<int*>(config); ++freed; };
  freed = 0;
  {
    Result<ConfigObject> first = ConfigObject::make(plugin, {}), second = ConfigObject::make(plugin, {});
    std::vector<ConfigObject> objects;
    objects.push_back(std::move(first).value());
    objects.push_back(std::move(second).value());
    objects.erase(objects.begin());
    EXPECT_EQ(freed, 1);
    EXPECT_NE(objects[0].get(), nullptr);
  }
  EXPECT_EQ(freed, 2);
}

}  // namespace
}  // namespace gibbon::plugin
