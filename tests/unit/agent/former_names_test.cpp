// Former names of fields, from the request to what is shown and stored: Kong's redis_* of rate-limiting.
#include "base/json_text.hpp"
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

class FormerNames : public testing::Test {
 protected:
  Answer post(const json::value& config) {
    return client_.json("POST", "/plugins", {{"name", "rate-limiting"}, {"config", config}});
  }
  std::unique_ptr<TestHost> host_ = TestHost::with_database();
  Client client_{*host_};
};

TEST_F(FormerNames, AreTakenAndShownBesideTheNewOnes) {
  const auto made = post({{"minute", 5}, {"policy", "redis"}, {"redis_host", "r"}, {"redis_timeout", 7}});
  ASSERT_EQ(made.status, 201) << made.text;
  const auto& config = made.body.at("config");
  EXPECT_EQ(config.at("redis").at("host"), "r");
  EXPECT_EQ(config.at("redis").at("timeout"), 7);
  EXPECT_EQ(config.at("redis_host"), "r");
  EXPECT_EQ(config.at("redis_port"), 6379) << "also where the default is meant";
  EXPECT_TRUE(config.at("redis_password").is_null());
  const std::string path = "/plugins/" + std::string(made.body.at("id").as_string());
  EXPECT_EQ(client_.get(path).body, made.body);

  const auto changed = client_.json("PATCH", path, {{"config", {{"redis", {{"host", "q"}}}}}});
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.body.at("config").at("redis_host"), "q");
  EXPECT_EQ(changed.body.at("config").at("redis_timeout"), 7);

  const auto again = client_.json("PUT", path, changed.body);
  ASSERT_EQ(again.status, 200) << "what was shown can be put back: " << again.text;
  EXPECT_EQ(again.body.at("config"), changed.body.at("config"));
}

TEST_F(FormerNames, InAFormToo) {
  const auto made = client_.form(
      "POST", "/plugins", "name=rate-limiting&config.minute=5&config.redis_port=1&config.redis_ssl=true");
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.body.at("config").at("redis").at("port"), 1);
  EXPECT_EQ(made.body.at("config").at("redis").at("ssl"), true);
}

TEST_F(FormerNames, AreRefusedWhereTheyContradict) {
  const auto refused = post({{"minute", 5}, {"redis_host", "a"}, {"redis", {{"host", "b"}}}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body.at("message"),
            "schema violation (redis_host: both deprecated and new field are used but their values mismatch: "
            "redis_host = a vs redis.host = b)");
}

TEST_F(FormerNames, DoNotHideWhatIsWrongWithTheNewOnes) {
  const auto refused = post({{"policy", "redis"}, {"redis", {{"port", "x"}, {"nope", 1}}}});
  EXPECT_EQ(refused.status, 400);
  const json::value fields = json::parse(R"json({"@entity": [
      "at least one of these fields must be non-empty: 'config.second', 'config.minute', 'config.hour', 'config.day', 'config.month', 'config.year'",
      "failed conditional validation given value of field 'config.policy'",
      "failed conditional validation given value of field 'config.policy'"],
      "config": {"redis": {"host": "required field missing", "port": "expected an integer", "nope": "unknown field"}}})json");
  EXPECT_EQ(refused.body.at("fields"), fields) << to_text(refused.body.at("fields"));
}

TEST_F(FormerNames, ARowOfTheEntityIsThePlugins) {
  const auto refused = client_.json(
      "POST", "/plugins", {{"name", "rate-limiting"}, {"protocols", {"tcp"}}, {"config", {{"minute", 5}}}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body.at("fields"),
            json::parse(R"({"protocols": ["expected one of: grpc, grpcs, http, https"]})"));
}

}  // namespace
}  // namespace gibbon::agent::test
