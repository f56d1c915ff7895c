// The agent as a whole, without a gateway and without plugins: what it stores, publishes, and comes back
// with.
#include "agent/process.hpp"

#include <unistd.h>

#include "agent/agent.hpp"
#include "config/snapshot.hpp"
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

class ProcessTest : public ::testing::Test {
 protected:
  ProcessTest() {
    paths_ = Paths::of(folder_.path());
    paths_.shared = folder_.file("shared");
  }
  void configure(Settings::Values values) {
    values["prefix"] = folder_.path();
    values["plugins"] = "off";
    for (const char* listen : {"admin_listen", "status_listen", "proxy_listen"}) values[listen] = "off";
    auto settings = Settings::from_values(values);
    ASSERT_TRUE(settings.ok()) << settings.error().message;
    settings_ = *settings;
    ASSERT_TRUE(settings_.store_effective().ok());
  }
  void configure_file(const std::string& yaml) {
    write_file(yaml);
    configure({{"database", "off"}, {"declarative_config", file_}});
  }
  void write_file(const std::string& yaml) { std::ofstream(file_) << yaml; }
  void start() {
    process_ = std::make_unique<Process>(settings_, paths_);
    const auto started = process_->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  /// Ends the agent as kill -9 does: what it clears away at a proper end stays.
  void crash() {
    const auto posted = paths_.shared + "/posted.json", kept = folder_.file("kept");
    std::error_code none;
    std::filesystem::copy_file(posted, kept, none);
    process_.reset();
    if (std::filesystem::exists(kept)) std::filesystem::rename(kept, posted);
  }
  std::uint64_t generation() { return process_->control()->generation.load(); }
  std::vector<std::string> published() {
    const auto snapshot = config::load_snapshot(paths_.shared, generation());
    EXPECT_TRUE(snapshot.ok());
    std::vector<std::string> names;
    for (const auto& service : snapshot->services) names.push_back(service.name);
    return names;
  }

  using Names = std::vector<std::string>;
  TemporaryFolder folder_;
  const std::string file_ = folder_.file("kong.yml");
  Paths paths_;
  Settings settings_;
  std::unique_ptr<Process> process_;
};

constexpr const char* kA = "{_format_version: '3.0', services: [{name: a, host: h}]}";
constexpr const char* kB = "{_format_version: '3.0', services: [{name: b, host: h}]}";
constexpr const char* kBad = "{_format_version: '3.0', services: [{name: bad}]}";

TEST_F(ProcessTest, PublishesEachChangeAndGoesOnAfterARestart) {
  configure({});
  start();
  EXPECT_EQ(published(), Names{});
  const Client client(*process_);
  ASSERT_EQ(client.form("POST", "/services", "name=a&host=h").status, 201);
  EXPECT_EQ(published(), Names{"a"});
  const auto before = generation();
  ASSERT_EQ(client.form("POST", "/services", "name=a&host=h").status, 409);
  EXPECT_EQ(generation(), before);
  const auto id = process_->node_id();

  process_.reset();
  start();
  EXPECT_GT(generation(), before);
  EXPECT_EQ(published(), Names{"a"});
  EXPECT_EQ(process_->node_id(), id);
}

TEST_F(ProcessTest, KeepsTheNewestSnapshotsWithTheirBasesAndDeletesOlderOnes) {
  configure({});
  start();
  const auto first = generation();
  const auto exists = [&](std::uint64_t g) { return std::filesystem::exists(config::snapshot_path(paths_.shared, g)); };
  const Client client(*process_);
  const auto change = [&](int i) {
    ASSERT_EQ(client.form("PUT", "/services/a" + std::to_string(i), "host=h").status, 200);
    // Whoever reads the newest one finds all of it.
    const auto snapshot = config::load_snapshot(paths_.shared, generation());
    ASSERT_TRUE(snapshot.ok()) << snapshot.error().message;
    ASSERT_EQ(snapshot->services.size(), process_->store().read()->rows("services").size());
  };
  constexpr auto kKept = Publisher::kKeptSnapshots;
  int done = 0;
  while (generation() < first + kKept + 1) change(done++);
  EXPECT_TRUE(exists(first)) << "the base of what is kept";
  EXPECT_FALSE(exists(first + 1));
  EXPECT_TRUE(exists(first + 2));
  // When enough has changed, a whole one is written; the old base goes with the last snapshot that names it.
  while (done < static_cast<int>(Publisher::kMaxChanges + kKept) + 2) change(done++);
  EXPECT_FALSE(exists(first));
  EXPECT_EQ(published().size(), static_cast<std::size_t>(done));
}

TEST_F(ProcessTest, ASnapshotThatCannotBeWrittenRefusesTheChange) {
  configure({});
  start();
  // A folder in its place: nothing can be renamed onto it.
  std::filesystem::create_directories(config::snapshot_path(paths_.shared, generation() + 1) + "/x");
  const Client client(*process_);
  EXPECT_EQ(client.form("POST", "/services", "name=a&host=h").status, 500);
  EXPECT_EQ(client.get("/services/a").status, 404);
}

TEST_F(ProcessTest, ReloadTakesAGoodFileAndKeepsTheOldOneOtherwise) {
  configure_file(kA);
  start();
  EXPECT_EQ(published(), Names{"a"});
  write_file(kBad);
  const auto refused = process_->reload();
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("in 'services':\n  - in entry 1 of 'services':\n    in 'host': required field missing"), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(published(), Names{"a"});
  write_file(kB);
  EXPECT_TRUE(process_->reload().ok());
  EXPECT_EQ(published(), Names{"b"});
}

TEST_F(ProcessTest, ReloadKeepsTheOldSettingsWhereTheNewOnesAreDamaged) {
  configure_file(kA);
  start();
  std::ofstream(paths_.settings) << "this is no setting";
  write_file(kB);
  EXPECT_FALSE(process_->reload().ok());
  EXPECT_EQ(published(), Names{"a"});
}

TEST_F(ProcessTest, APostedConfigurationOutlivesACrashButNotAnOrderlyStop) {
  configure_file(kA);
  start();
  const auto posted = Client(*process_).send("POST", "/config", kB, "text/yaml");
  ASSERT_EQ(posted.status, 201) << posted.text;
  EXPECT_EQ(published(), Names{"b"});
  const auto hash = process_->current_hash();
  crash();
  start();
  EXPECT_EQ(published(), Names{"b"});
  EXPECT_EQ(process_->current_hash(), hash);
  process_.reset();
  start();
  EXPECT_EQ(published(), Names{"a"});
}

TEST_F(ProcessTest, APostedConfigurationThatIsNotPublishedIsNotKept) {
  configure_file(kA);
  start();
  ASSERT_EQ(Client(*process_).send("POST", "/config", kB, "text/yaml").status, 201);
  std::filesystem::create_directories(config::snapshot_path(paths_.shared, generation() + 1) + "/x");
  const auto refused = Client(*process_).send("POST", "/config", kA, "text/yaml");
  EXPECT_EQ(refused.status, 500) << refused.text;
  EXPECT_EQ(published(), Names{"b"});
  std::filesystem::remove_all(config::snapshot_path(paths_.shared, generation() + 1));
  crash();
  start();
  EXPECT_EQ(published(), Names{"b"});
}

TEST_F(ProcessTest, WhatAnotherProgramWritesGoesLive) {
  configure({});
  start();
  const auto before = generation();
  const auto other = SqliteStore::open(paths_.database, Collections::core()).value();
  const auto add = [&](const std::string& id, const std::string& name) {
    const auto& services = Collections::core()->at("services");
    auto checked = process_->catalog()->check_insert(services, json::object{{"id", id}, {"name", name}, {"host", "h"}});
    return other->write([&](Transaction& t) { return t.insert(services, std::move(checked.entity)); }).ok();
  };
  ASSERT_TRUE(add("00000000-0000-4000-8000-000000000001", "a"));
  process_->catch_up();
  // It is done in the queue of the changes: when the next of them is answered, it is in effect.
  ASSERT_TRUE(process_->reload().ok());
  EXPECT_EQ(published(), Names{"a"});
  EXPECT_GE(generation(), before + 2) << "once for the change, once for the reload";
  EXPECT_EQ(Client(*process_).get("/services/a").status, 200);

  ASSERT_TRUE(add("00000000-0000-4000-8000-000000000002", "b"));
  ASSERT_EQ(Client(*process_).form("POST", "/services", "name=b&host=h").status, 409);
  EXPECT_EQ(published(), (Names{"a", "b"})) << "also a change that is refused takes it over";
}

TEST_F(ProcessTest, ABrokenFileAfterACrashLeavesTheGatewayAsItRuns) {
  configure_file(kA);
  start();
  crash();
  write_file(kBad);
  start();
  EXPECT_EQ(published(), Names{"a"});
}

TEST_F(ProcessTest, ABrokenFileAtTheFirstStartIsRefused) {
  configure_file(kBad);
  process_ = std::make_unique<Process>(settings_, paths_);
  const auto started = process_->start();
  ASSERT_FALSE(started.ok());
  EXPECT_NE(started.error().message.find("in 'host': required field missing"), std::string::npos);
  const auto checked = check(settings_, paths_.database);
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().message, started.error().message);
  write_file(kA);
  EXPECT_TRUE(check(settings_, paths_.database).ok());
}

TEST_F(ProcessTest, APluginThatIsInUseMustBeEnabled) {
  configure({});
  {
    auto opened = SqliteStore::open(paths_.database, Collections::core());
    const auto& store = *opened;
    ASSERT_TRUE(store
                    ->write([](Transaction& t) {
                      return t.insert(
                          Collections::core()->at("plugins"),
                          json::object{{"id", "00000000-0000-4000-8000-000000000001"}, {"name", "gone"}});
                    })
                    .ok());
  }
  process_ = std::make_unique<Process>(settings_, paths_);
  const auto started = process_->start();
  ASSERT_FALSE(started.ok());
  EXPECT_NE(started.error().message.find("gone"), std::string::npos);
  EXPECT_FALSE(check(settings_, paths_.database).ok());
}

}  // namespace
}  // namespace gibbon::agent::test
