// The kinds of entities that the bundled plugins bring, through the Admin API.
#include <openssl/evp.h>

#include "../support/cases.hpp"
#include "agent/store/ttl.hpp"
#include "schema/describe.hpp"
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

class PluginEntitiesTest : public ::testing::Test {
 protected:
  std::unique_ptr<TestHost> host_ = TestHost::with_built_plugins({"acl", "basic-auth", "key-auth"});
  Client client_{*host_};

  json::object made(const std::string& method, const std::string& path, const json::value& body, int status) {
    const auto answer = client_.json(method, path, body);
    EXPECT_EQ(answer.status, status) << method << " " << path << ": " << answer.text;
    return answer.body.is_object() ? answer.body.get_object() : json::object();
  }
  std::string consumer(const char* username) {
    return std::string(made("POST", "/consumers", {{"username", username}}, 201).at("id").as_string());
  }
  static json::value sha1(const std::string& text) {
    unsigned char digest[20];
    EVP_Digest(text.data(), text.size(), digest, nullptr, EVP_sha1(), nullptr);
    std::string hex;
    for (const unsigned char byte : digest)
      hex.append({"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]});
    return json::value(hex);
  }
};

TEST_F(PluginEntitiesTest, KeysHaveKongsEndpoints) {
  const auto bob = consumer("bob"), eve = consumer("eve");
  const auto key = made("POST", "/consumers/bob/key-auth", {{"key", "1234"}, {"tags", {"t"}}}, 201);
  EXPECT_EQ(key.at("consumer").at("id"), json::value(bob));
  EXPECT_EQ(key.at("ttl"), nullptr);
  EXPECT_EQ(key.size(), 6U) << json::value(key);
  const std::string id(key.at("id").as_string());
  for (const auto& path : {"/key-auths/1234", "/consumers/bob/key-auth/1234"})
    EXPECT_EQ(client_.get(path).body, json::value(key));
  EXPECT_EQ(client_.get("/key-auths/" + id + "/consumer").body.at("username"), "bob");
  EXPECT_EQ(client_.get("/key-auths").body.at("data").as_array().size(), 1U);
  EXPECT_EQ(client_.get("/consumers/eve/key-auth/1234").status, 404) << "it is not hers";
  EXPECT_EQ(client_.get("/tags/t").body.at("data").at(0).at("entity_name"), "keyauth_credentials");
  EXPECT_EQ(made("PATCH", "/consumers/bob/key-auth/1234", {{"key", "4321"}}, 200).at("id"), json::value(id));
  EXPECT_EQ(made("PUT", "/consumers/bob/key-auth/5678", json::object(), 200).at("key"), "5678");
  EXPECT_EQ(client_.send("DELETE", "/consumers/bob/key-auth/5678").status, 204);
  EXPECT_EQ(client_.send("DELETE", "/consumers/bob/key-auth/5678").status, 404);
  for (const auto& pattern :
       {"/acls", "/acls/{acls}", "/acls/{acls}/consumer", "/basic-auths", "/consumers/{consumers}/acls",
        "/consumers/{consumers}/acls/{acls}", "/consumers/{consumers}/basic-auth",
        "/consumers/{consumers}/key-auth/{keyauth_credentials}", "/key-auths/{keyauth_credentials}"}) {
    const auto& all = client_.get("/endpoints").body.at("data").as_array();
    EXPECT_NE(std::find(all.begin(), all.end(), json::value(pattern)), all.end()) << pattern;
  }
}

TEST_F(PluginEntitiesTest, AKeyIsMadeUpWhereNoneIsGiven) {
  consumer("bob");
  const std::string one(made("POST", "/consumers/bob/key-auth", json::object(), 201).at("key").as_string());
  const std::string two(made("POST", "/consumers/bob/key-auth", json::object(), 201).at("key").as_string());
  EXPECT_EQ(one.size(), 32U);
  EXPECT_EQ(one.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            std::string::npos);
  EXPECT_NE(one, two);
}

TEST_F(PluginEntitiesTest, WhatIsWrongIsSaidInKongsWords) {
  const auto bob = consumer("bob");
  made("POST", "/consumers/bob/key-auth", {{"key", "1234"}}, 201);
  const auto again = made("POST", "/consumers/bob/key-auth", {{"key", "1234"}}, 409);
  EXPECT_EQ(again.at("message"), "UNIQUE violation detected on '{key=\"1234\"}'");
  EXPECT_EQ(made("POST", "/key-auths", {{"key", "x"}}, 400).at("fields").at("consumer"),
            "required field missing");
  EXPECT_EQ(made("POST", "/consumers/bob/key-auth", {{"key", 123}}, 400).at("fields").at("key"),
            "expected a string");
  EXPECT_EQ(made("POST", "/consumers/bob/key-auth", {{"nope", 1}}, 400).at("fields").at("nope"),
            "unknown field");
  EXPECT_EQ(made("POST", "/consumers/nobody/key-auth", json::object(), 404).at("message"), "Not found");
  const auto basic = made("POST", "/consumers/bob/basic-auth", json::object(), 400);
  EXPECT_EQ(basic.at("fields"),
            json::value({{"username", "required field missing"}, {"password", "required field missing"}}));
  EXPECT_EQ(made("POST", "/consumers/bob/acls", json::object(), 400).at("fields").at("group"),
            "required field missing");
  for (const json::value& ttl :
       {json::value(-1), json::value(1.5), json::value(100000001), json::value("x")}) {
    const auto bad = made("POST", "/consumers/bob/key-auth", {{"ttl", ttl}}, 400);
    EXPECT_EQ(bad.at("code"), 11);
    EXPECT_EQ(bad.at("message"), "invalid option (ttl: must be an integer between 0 and 100000000)");
  }
}

TEST_F(PluginEntitiesTest, PasswordsAreHashedWithTheConsumersId) {
  const auto bob = consumer("bob");
  const auto made_one =
      made("POST", "/consumers/bob/basic-auth", {{"username", "b"}, {"password", "secret"}}, 201);
  EXPECT_EQ(made_one.at("password"), sha1("secret" + bob));
  const std::string id(made_one.at("id").as_string());
  EXPECT_EQ(made("PATCH", "/consumers/bob/basic-auth/b", {{"username", "c"}}, 200).at("password"),
            sha1("secret" + bob));
  EXPECT_EQ(made("PATCH", "/consumers/bob/basic-auth/c", {{"password", "new"}}, 200).at("password"),
            sha1("new" + bob));
  EXPECT_EQ(made("PUT", "/consumers/bob/basic-auth/c", {{"password", "third"}}, 200).at("password"),
            sha1("third" + bob));
  EXPECT_EQ(made("PATCH", "/basic-auths/" + id, {{"tags", {"x"}}}, 200).at("password"), sha1("third" + bob));
  // Kong wants to be told the consumer, which it does not read again.
  const auto alone = made("PATCH", "/basic-auths/" + id, {{"password", "x"}}, 400);
  EXPECT_EQ(alone.at("fields").at("@entity").at(0),
            "all or none of these fields must be set: 'password', 'consumer.id'");
  EXPECT_EQ(made("PATCH", "/basic-auths/" + id, {{"password", "x"}, {"consumer", {{"id", bob}}}}, 200)
                .at("password"),
            sha1("x" + bob));
  EXPECT_EQ(client_.form("POST", "/consumers/bob/basic-auth", "username=f&password=pw").body.at("password"),
            sha1("pw" + bob));
}

TEST_F(PluginEntitiesTest, GroupsAreNamedBelowTheirConsumer) {
  const auto bob = consumer("bob");
  consumer("eve");
  const auto gold = made("POST", "/consumers/bob/acls", {{"group", "gold"}}, 201);
  made("POST", "/consumers/eve/acls", {{"group", "gold"}}, 201);
  const auto again = made("POST", "/consumers/bob/acls", {{"group", "gold"}}, 409);
  EXPECT_EQ(again.at("fields"), json::value({{"consumer", {{"id", bob}}}, {"group", "gold"}}));
  EXPECT_EQ(client_.get("/consumers/bob/acls/gold").body, json::value(gold));
  EXPECT_EQ(client_.get("/consumers/bob/acls/" + std::string(gold.at("id").as_string())).body,
            json::value(gold));
  EXPECT_EQ(client_.get("/acls/gold").body.at("code"), 1) << "not a name by itself";
  EXPECT_EQ(made("PUT", "/consumers/bob/acls/gold", {{"tags", {"t"}}}, 200).at("id"), gold.at("id"));
  const auto blue = made("PUT", "/consumers/bob/acls/blue", json::object(), 200);
  EXPECT_EQ(blue.at("group"), "blue");
  EXPECT_EQ(made("PUT", "/consumers/bob/acls/blue", {{"group", "red"}}, 200).at("id"), blue.at("id"));
  EXPECT_EQ(made("PATCH", "/consumers/bob/acls/red", {{"group", "blue"}}, 200).at("id"), blue.at("id"));
  EXPECT_EQ(client_.get("/consumers/bob/acls").body.at("data").as_array().size(), 2U);
  EXPECT_EQ(client_.send("DELETE", "/consumers/bob/acls/blue").status, 204);
  EXPECT_EQ(client_.send("DELETE", "/consumers/bob/acls/blue").status, 404);
  EXPECT_EQ(client_.get("/consumers/eve/acls/gold").status, 200);
}

TEST_F(PluginEntitiesTest, AllGoWithTheirConsumer) {
  consumer("bob");
  made("POST", "/consumers/bob/key-auth", json::object(), 201);
  made("POST", "/consumers/bob/acls", {{"group", "gold"}}, 201);
  EXPECT_EQ(client_.send("DELETE", "/consumers/bob").status, 204);
  for (const auto& path : {"/key-auths", "/acls"})
    EXPECT_TRUE(client_.get(path).body.at("data").as_array().empty());
}

TEST_F(PluginEntitiesTest, ATtlCountsDownAndEnds) {
  consumer("bob");
  const auto key =
      made("POST", "/consumers/bob/key-auth", {{"key", "k"}, {"ttl", 1000}, {"tags", {"t"}}}, 201);
  EXPECT_NEAR(static_cast<double>(key.at("ttl").as_int64()), 1000, 5);
  EXPECT_NEAR(
      static_cast<double>(made("PATCH", "/key-auths/k", {{"tags", nullptr}}, 200).at("ttl").as_int64()), 1000,
      5);
  EXPECT_NEAR(static_cast<double>(
                  made("PATCH", "/key-auths/k", {{"ttl", "50"}, {"tags", {"t"}}}, 200).at("ttl").as_int64()),
              50, 5);
  EXPECT_EQ(made("PATCH", "/key-auths/k", {{"ttl", 0}}, 200).at("ttl"), nullptr);
  EXPECT_NEAR(static_cast<double>(client_.form("PATCH", "/key-auths/k", "ttl=70").body.at("ttl").as_int64()),
              70, 5);
  EXPECT_EQ(made("PUT", "/consumers/bob/key-auth/k", {{"tags", {"t"}}}, 200).at("ttl"), nullptr);

  // A row whose time has come, as it lies in the store.
  auto stored = *host_->store().read()->find_by("keyauth_credentials", "key", "k");
  stored["ttl"] = now_s();
  const auto& collection = host_->catalog()->collections().at("keyauth_credentials");
  ASSERT_TRUE(host_->store().write([&](Transaction& t) { return t.put(collection, stored); }).ok());
  EXPECT_EQ(client_.get("/key-auths/k").status, 404);
  EXPECT_EQ(client_.get("/consumers/bob/key-auth/k").status, 404);
  EXPECT_TRUE(client_.get("/key-auths").body.at("data").as_array().empty());
  EXPECT_TRUE(client_.get("/consumers/bob/key-auth").body.at("data").as_array().empty());
  EXPECT_TRUE(client_.get("/tags/t").body.at("data").as_array().empty());
  EXPECT_EQ(host_->store().read()->rows("keyauth_credentials").size(), 1U);
  const auto next = made("POST", "/consumers/bob/key-auth", {{"key", "k"}}, 201);
  EXPECT_NE(next.at("id"), key.at("id"));
  EXPECT_EQ(host_->store().read()->rows("keyauth_credentials").size(), 1U)
      << "the old one is out of the store";
}

TEST_F(PluginEntitiesTest, DocumentsNestThemUnderTheirConsumers) {
  const auto load = [&](json::object document) {
    document["_format_version"] = "3.0";
    auto loaded = load_declarative(document, *host_->catalog());
    EXPECT_TRUE(loaded.ok()) << loaded.error->text;
    return std::move(loaded.image);
  };
  const json::array consumers{
      json::object{{"username", "bob"},
                   {"keyauth_credentials", {{{"key", "k"}, {"ttl", 4102444800}}}},
                   {"basicauth_credentials", {{{"username", "b"}, {"password", "pw"}}}},
                   {"acls", {{{"group", "gold"}}, {{"group", "blue"}}}}},
      json::object{{"username", "eve"}, {"acls", {{{"group", "gold"}}}}}};
  const auto image = load({{"consumers", consumers}});
  EXPECT_EQ(image.rows("acls").size(), 3U);
  const std::string bob(image.find_by("consumers", "username", "bob")->at("id").as_string());
  EXPECT_EQ(image.find_by("keyauth_credentials", "key", "k")->at("consumer").at("id"), json::value(bob));
  EXPECT_EQ(image.find_by("keyauth_credentials", "key", "k")->at("ttl"), 4102444800) << "when it runs out";
  EXPECT_EQ(image.find_by("basicauth_credentials", "username", "b")->at("password"), sha1("pw" + bob));
  // What was exported is read back as it is.
  const auto again = load(export_declarative(image));
  EXPECT_EQ(export_declarative(again), export_declarative(image));
}

void drop_descriptions(json::value& value) {
  if (value.is_array()) {
    for (json::value& element : value.get_array()) drop_descriptions(element);
  } else if (value.is_object()) {
    value.get_object().erase("description");
    for (auto& member : value.get_object()) drop_descriptions(member.value());
  }
}

TEST_F(PluginEntitiesTest, SchemasAreKongs) {
  const json::object recorded = gibbon::test::load_cases("schema_recorded.json");
  for (const auto& name : {"key-auth", "basic-auth", "acl"}) {
    json::value ours = client_.get("/schemas/plugins/" + std::string(name)).body;
    drop_descriptions(ours);
    EXPECT_EQ(ours, recorded.at("plugins").at(name)) << name;
  }
  const auto described = client_.get("/schemas/keyauth_credentials").body;
  EXPECT_EQ(described.at("fields").at(2).at("consumer").at("on_delete"), "cascade");
  EXPECT_EQ(
      client_.get("/schemas/basicauth_credentials").body.at("fields").at(4).at("password").at("encrypted"),
      true);
  EXPECT_EQ(client_.get("/schemas/acls").status, 200);
  EXPECT_EQ(client_
                .json("POST", "/schemas/acls/validate",
                      {{"group", "g"}, {"consumer", {{"id", "5a4ca4ae-1c1f-4c5e-9b0a-1f1e0e3f8f10"}}}})
                .status,
            200);
}

TEST_F(PluginEntitiesTest, PluginsAreCheckedAsKongChecksThem) {
  const auto bob = consumer("bob");
  const auto refused = [&](const json::object& plugin) {
    return made("POST", "/plugins", plugin, 400).at("fields");
  };
  EXPECT_EQ(refused({{"name", "key-auth"}, {"consumer", {{"id", bob}}}}).at("consumer"),
            "value must be null");
  EXPECT_EQ(refused({{"name", "key-auth"}, {"config", {{"key_names", {"a\\b"}}}}})
                .at("config")
                .at("key_names")
                .at(0),
            "bad header name 'a\\b', allowed characters are A-Z, a-z, 0-9, '_', and '-'");
  EXPECT_EQ(refused({{"name", "key-auth"}, {"protocols", {"tcp"}}}).at("protocols").at(0),
            "expected one of: grpc, grpcs, http, https");
  EXPECT_EQ(refused({{"name", "acl"}}).at("@entity").as_array().size(), 2U);
  EXPECT_EQ(refused({{"name", "acl"}, {"config", {{"allow", {"a"}}, {"deny", {"b"}}}}}).at("@entity").at(0),
            "exactly one of these fields must be non-empty: 'config.allow', 'config.deny'");
  const auto made_one = made("POST", "/plugins", {{"name", "key-auth"}}, 201);
  EXPECT_EQ(made_one.at("config"),
            json::parse(R"({"key_names": ["apikey"], "hide_credentials": false, "anonymous": null,
      "key_in_header": true, "key_in_query": true, "key_in_body": false, "run_on_preflight": true, "realm": null})"));
  EXPECT_EQ(made("POST", "/plugins", {{"name", "basic-auth"}}, 201).at("config"),
            json::parse(R"({"anonymous": null, "hide_credentials": false, "realm": "service"})"));
}

}  // namespace
}  // namespace gibbon::agent::test
