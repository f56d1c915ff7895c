// The Admin API over the kinds of entities that are not services, routes and plugins.
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

class EntitiesTest : public ::testing::Test {
 protected:
  std::unique_ptr<TestHost> host_ = TestHost::with_database();
  Client client_{*host_};

  json::object made(const std::string& path, const std::string& form) {
    const auto answer = client_.form("POST", path, form);
    EXPECT_EQ(answer.status, 201) << answer.text;
    return answer.body.is_object() ? answer.body.get_object() : json::object();
  }
};

TEST_F(EntitiesTest, ConsumersHaveTwoNames) {
  const auto consumer = made("/consumers", "username=bob&custom_id=7&tags[]=x");
  EXPECT_EQ(client_.get("/consumers/bob").body, json::value(consumer));
  const auto nameless = client_.form("POST", "/consumers", "tags[]=x");
  EXPECT_EQ(nameless.status, 400);
  EXPECT_EQ(nameless.body.at("fields").at("@entity").at(0), "at least one of these fields must be non-empty: 'custom_id', 'username'");
  const auto again = client_.form("POST", "/consumers", "custom_id=7");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.body.at("message"), "UNIQUE violation detected on '{custom_id=\"7\"}'");
}

TEST_F(EntitiesTest, ConsumersAreFoundByTheirCustomId) {
  const auto consumer = made("/consumers", "username=bob&custom_id=7");
  made("/consumers", "username=eve&custom_id=8");
  const auto found = client_.get("/consumers?custom_id=7");
  EXPECT_EQ(found.body, json::value({{"data", {consumer}}, {"next", nullptr}}));
  EXPECT_EQ(client_.get("/consumers?custom_id=9").body, json::value({{"data", json::array()}, {"next", nullptr}}));
  const auto bad = client_.get("/consumers?custom_id=");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body, json::value({{"message", "custom_id must be an unempty string"}}));
}

TEST_F(EntitiesTest, TargetsStandBelowTheirUpstreamAlone) {
  made("/upstreams", "name=u.test");
  made("/upstreams", "name=v.test");
  const auto target = made("/upstreams/u.test/targets", "target=h.test");
  EXPECT_EQ(target.at("target"), "h.test:8000");
  EXPECT_TRUE(target.at("created_at").is_double() || target.at("created_at").is_int64());
  EXPECT_EQ(client_.get("/upstreams/u.test/targets/h.test:8000").body, json::value(target));
  EXPECT_EQ(client_.get("/upstreams/v.test/targets/h.test:8000").status, 404);
  EXPECT_EQ(client_.get("/targets").status, 404);
  EXPECT_EQ(made("/upstreams/v.test/targets", "target=h.test:8000&weight=5").at("weight"), 5);

  const auto again = client_.form("POST", "/upstreams/u.test/targets", "target=h.test:8000");
  EXPECT_EQ(again.status, 409) << again.text;
  const auto bad = client_.form("POST", "/upstreams/u.test/targets", "target=a b");
  EXPECT_EQ(bad.body.at("fields").at("target"), "Invalid target ('a b'); not a valid hostname or ip address");

  EXPECT_EQ(client_.form("PATCH", "/upstreams/u.test/targets/h.test:8000", "weight=9").body.at("weight"), 9);
  EXPECT_EQ(client_.send("DELETE", "/upstreams/u.test/targets/h.test:8000").status, 204);
  EXPECT_EQ(client_.send("DELETE", "/upstreams/u.test").status, 204);
  EXPECT_EQ(client_.get("/upstreams/v.test/targets").body.at("data").as_array().size(), 1u);
  EXPECT_EQ(client_.send("DELETE", "/upstreams/v.test").status, 204);
  EXPECT_TRUE(host_->store().read()->rows("targets").empty());
}

TEST_F(EntitiesTest, UpstreamsHaveKongsDefaultsAndChecks) {
  const auto upstream = made("/upstreams", "name=u.test&healthchecks.active.healthy.interval=0.5");
  EXPECT_EQ(upstream.at("healthchecks").at("active").at("healthy").at("interval"), 0.5);
  EXPECT_EQ(upstream.at("healthchecks").at("active").at("concurrency"), 10);
  EXPECT_EQ(upstream.at("healthchecks").at("passive").at("unhealthy").at("http_statuses"), json::value({429, 500, 503}));
  const auto bad = client_.form("POST", "/upstreams", "name=1.2.3.4&hash_on=header&slots=1");
  EXPECT_EQ(bad.body.at("fields").at("name"), "Invalid name ('1.2.3.4'); no ip addresses allowed");
  EXPECT_EQ(bad.body.at("fields").at("slots"), "value should be between 10 and 65536");
  EXPECT_EQ(bad.body.at("fields").at("hash_on_header"), "required field missing");
}

TEST_F(EntitiesTest, VaultsAreCheckedByTheirKind) {
  const auto vault = made("/vaults", "prefix=my-env&name=env&config.prefix=SECRET_");
  EXPECT_EQ(client_.get("/vaults/my-env").body, json::value(vault));
  EXPECT_EQ(vault.at("config"), json::value({{"prefix", "SECRET_"}}));
  const auto unknown = client_.form("POST", "/vaults", "prefix=other&name=aws");
  EXPECT_EQ(unknown.body.at("fields").at("name"), "vault 'aws' is not installed");
  const auto reserved = client_.form("POST", "/vaults", "prefix=env&name=env");
  EXPECT_EQ(reserved.body.at("fields").at("prefix"), "must not be one of: env");
}

TEST_F(EntitiesTest, TheVaultsSchemasShowThemselves) {
  const auto env = client_.get("/schemas/vaults/env");
  EXPECT_EQ(env.body.at("fields").at(0).at("config").at("fields").at(0).at("prefix").at("match"), "^[%a_-][%a%d_-]*$");
  EXPECT_EQ(client_.get("/schemas/vaults/aws").body, json::value({{"message", "No vault named 'aws'"}}));
  EXPECT_EQ(client_.form("POST", "/schemas/vaults/validate", "prefix=my-env&name=env").status, 200);
  EXPECT_EQ(client_.form("POST", "/schemas/vaults/validate", "prefix=env&name=env").status, 400);
}

TEST_F(EntitiesTest, TheNodeAnswersAsAKongWithoutCacheTimersAndCluster) {
  EXPECT_EQ(client_.get("/cache/x").status, 404);
  EXPECT_EQ(client_.send("DELETE", "/cache").status, 204);
  EXPECT_EQ(client_.send("DELETE", "/cache/x").status, 204);
  EXPECT_EQ(client_.get("/clustering/status").status, 400);
  EXPECT_EQ(client_.get("/status/dns").status, 501);
  EXPECT_TRUE(client_.get("/timers").body.at("stats").as_object().contains("sys"));
}

TEST_F(EntitiesTest, TheLogLevelChanges) {
  EXPECT_EQ(client_.get("/debug/node/log-level").body, json::value({{"message", "log level: notice"}}));
  EXPECT_EQ(client_.send("PUT", "/debug/node/log-level/loud").body, json::value({{"message", "unknown log level: loud"}}));
  EXPECT_EQ(client_.send("PUT", "/debug/node/log-level/debug?timeout=-1").status, 400);
  EXPECT_EQ(client_.send("PUT", "/debug/node/log-level/notice").body,
            json::value({{"message", "log level is already notice"}}));
  EXPECT_EQ(client_.send("PUT", "/debug/node/log-level/debug").body, json::value({{"message", "log level changed"}}));
  EXPECT_EQ(client_.get("/debug/node/log-level").body, json::value({{"message", "log level: debug"}}));
}

}  // namespace
}  // namespace gibbon::agent::test
