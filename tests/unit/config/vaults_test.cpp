#include "config/vaults.hpp"

#include <gtest/gtest.h>

#include "config/entity_schemas.hpp"
#include "config/snapshot.hpp"

namespace gibbon::config {
namespace {

Vaults vaults() {
  return Vaults({{{"prefix", "my-env"}, {"config", {{"prefix", "APP_"}}}}, {{"prefix", "plain-env"}, {"config", nullptr}}},
                [](const std::string& name) -> std::optional<std::string> {
                  if (name == "MY_SECRET") return "one";
                  if (name == "APP_MY_SECRET") return "two";
                  if (name == "OTHER_MY_SECRET") return "three";
                  if (name == "PAIR") return R"({"user": "u", "port": 5, "deep": {}})";
                  if (name == "EMPTY") return "";
                  return {};
                });
}

TEST(Vaults, FindSecretsInTheEnvironment) {
  const std::pair<const char*, const char*> cases[] = {
      {"{vault://env/my-secret}", "one"},
      {"{vault://env/MY_SECRET}", "one"},
      {"{vault://env/my%2Dsecret}", "one"},
      {"{vault://env/my-secret#1}", "one"},
      {"{vault://my-env/my-secret}", "two"},
      {"{vault://plain-env/my-secret}", "one"},
      {"{vault://env/my-secret?prefix=other_}", "three"},
      {"{vault://my-env/my-secret?prefix=other_}", "three"},
      {"{vault://env/pair/user}", "u"},
      {"{vault://env/pair/port}", "5"},
      {"{vault://env/empty}", ""},
  };
  for (const auto& [reference, value] : cases) {
    const auto found = vaults().get(reference);
    ASSERT_TRUE(found) << reference << ": " << found.error().message;
    EXPECT_EQ(*found, value) << reference;
  }
}

TEST(Vaults, SayWhatIsMissing) {
  const std::pair<const char*, const char*> cases[] = {
      {"{vault://env/nothing}", "the environment variable NOTHING is not set"},
      {"{vault://aws/my-secret}", "there is no vault 'aws'"},
      {"{vault://env/pair/deep}", "no JSON object with such a key"},
      {"{vault://env/my-secret/user}", "no JSON object with such a key"},
      {"{vault:///x}", "reference url is missing host"},
      {"{vault://env}", "reference url is missing path"},
      {"{vault://env/}", "reference url has empty path"},
      {"plain", "not a reference"},
  };
  for (const auto& [reference, message] : cases) {
    const auto found = vaults().get(reference);
    ASSERT_FALSE(found) << reference;
    EXPECT_NE(found.error().message.find(message), std::string::npos) << found.error().message;
    EXPECT_EQ(found.error().message.find("one"), std::string::npos);
  }
}

TEST(Vaults, AreLookedForInReferenceableFieldsAlone) {
  using namespace gibbon::fields;
  const Schema schema = record({
      {"plain", string()},
      {"secret", string().referenceable()},
      {"list", array(string().referenceable())},
      {"map", map(string(), string().referenceable())},
      {"nested", record({{"secret", string().referenceable()}})},
  });
  const json::object entity{{"plain", "{vault://env/a}"},
                            {"secret", "{vault://env/b}"},
                            {"list", {"x", "{vault://env/c}"}},
                            {"map", {{"k", "{vault://env/d}"}}},
                            {"nested", {{"secret", "{vault://env/e}"}}}};
  EXPECT_EQ(vault_references(schema, entity),
            (std::vector<std::string>{"{vault://env/b}", "{vault://env/c}", "{vault://env/d}", "{vault://env/e}"}));
}

TEST(Snapshot, PutsSecretsInTheirPlacesAndKeepsThePluginsReferences) {
  const std::string text = serialize_snapshot(
      1,
      {{"plugins",
        {json::object{{"id", "1"}, {"name", "p"}, {"config", {{"key", "{vault://env/a}"}, {"n", 1}}}},
         json::object{{"id", "2"}, {"name", "p"}, {"config", {{"key", "x"}}}}}},
       {"certificates", {json::object{{"id", "3"}, {"cert", "{vault://env/b}"}, {"key", "k"}}}}},
      {{"{vault://env/a}", "A"}, {"{vault://env/b}", "B"}});
  const Result<Snapshot> snapshot = parse_snapshot(text);
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(snapshot->plugins[0].config, (json::object{{"key", "A"}, {"n", 1}}));
  EXPECT_EQ(snapshot->plugins[0].config_with_references, (json::object{{"key", "{vault://env/a}"}, {"n", 1}}));
  EXPECT_TRUE(snapshot->plugins[1].config_with_references.empty());
  EXPECT_EQ(snapshot->certificates[0].cert, "B");
}

}  // namespace
}  // namespace gibbon::config
