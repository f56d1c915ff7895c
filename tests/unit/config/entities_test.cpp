#include "config/entities.hpp"

#include <map>

#include "../record/temporary_directory.hpp"
#include "../support/cases.hpp"
#include "config/entity_schemas.hpp"
#include "config/snapshot.hpp"
#include "../support/plugin_rows.hpp"
#include "schema/validate.hpp"

namespace gibbon::config {
namespace {

using test::object_of;

json::object service_entity() {
  return schema::check_insert(service_schema(),
                              object_of(R"({"name": "s", "url": "https://h:8443/p", "tls_verify": false,
      "tls_verify_depth": 3, "client_certificate": {"id": "22222222-2222-4222-8222-222222222222"},
      "read_timeout": 1000})"))
      .entity;
}

TEST(Service, IsReadWithAllItsFields) {
  const Result<Service> read = service_from_json(service_entity());
  ASSERT_TRUE(read) << read.error().message;
  const Service& s = read.value();
  EXPECT_EQ(s.name, "s");
  EXPECT_EQ(s.protocol, "https");
  EXPECT_EQ(s.host, "h");
  EXPECT_EQ(s.port, 8443);
  EXPECT_EQ(s.path, "/p");
  EXPECT_EQ(s.read_timeout_ms, 1000U);
  EXPECT_EQ(s.write_timeout_ms, 60000U);
  EXPECT_EQ(s.tls_verify, std::optional<bool>(false));
  EXPECT_EQ(s.tls_verify_depth, std::optional<std::uint32_t>(3));
  EXPECT_EQ(s.client_certificate_id, "22222222-2222-4222-8222-222222222222");
  EXPECT_TRUE(s.enabled);
}

TEST(Service, LeavesWhatIsNullAtItsDefault) {
  const Result<Service> read =
      service_from_json(object_of(R"({"host": "h", "path": null, "retries": null})"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read.value().path, "");
  EXPECT_EQ(read.value().retries, 5U);
  EXPECT_FALSE(read.value().tls_verify.has_value());
}

TEST(Service, NamesTheFieldThatIsWrong) {
  for (const auto& [text, field] :
       std::map<std::string, std::string>{{R"({"port": "80"})", "port"},
                                          {R"({"port": 70000})", "port"},
                                          {R"({"host": 5})", "host"},
                                          {R"({"enabled": "yes"})", "enabled"},
                                          {R"({"ca_certificates": [5]})", "ca_certificates"},
                                          {R"({"client_certificate": "x"})", "client_certificate"}}) {
    const Result<Service> read = service_from_json(object_of(text));
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().field, field) << text;
    EXPECT_NE(read.error().message.find(field), std::string::npos) << read.error().message;
  }
}

TEST(Route, IsReadWithAllItsFields) {
  const schema::Checked checked = schema::check_insert(route_schema(), object_of(R"({"name": "r",
      "service": {"id": "11111111-1111-4111-8111-111111111111"}, "paths": ["/a", "~/b"], "methods": ["GET"],
      "hosts": ["a.test"], "snis": ["s.test"], "headers": {"X-A": ["1", "2"]}, "regex_priority": -3,
      "strip_path": false, "path_handling": "v1", "https_redirect_status_code": 301})"));
  ASSERT_TRUE(checked.ok()) << checked.violations.message();
  const Result<Route> read = route_from_json(checked.entity);
  ASSERT_TRUE(read) << read.error().message;
  const Route& r = read.value();
  EXPECT_EQ(r.service_id, "11111111-1111-4111-8111-111111111111");
  EXPECT_EQ(r.paths, (std::vector<std::string>{"/a", "~/b"}));
  EXPECT_EQ(r.protocols, (std::vector<std::string>{"http", "https"}));
  ASSERT_EQ(r.headers.size(), 1U);
  EXPECT_EQ(r.headers[0].first, "x-a");
  EXPECT_EQ(r.headers[0].second, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(r.regex_priority, -3);
  EXPECT_EQ(r.https_redirect_status_code, 301);
  EXPECT_FALSE(r.strip_path);
  EXPECT_TRUE(r.path_handling_v1);
  EXPECT_GT(r.created_at, 1600000000);
}

TEST(Route, KnowsWhereConnectionsComeFrom) {
  const Result<Route> read =
      route_from_json(object_of(R"({"sources": [{"ip": "10.0.0.0/8", "port": null}, {"port": 80}],
      "destinations": null})"));
  ASSERT_TRUE(read);
  ASSERT_EQ(read.value().sources.size(), 2U);
  EXPECT_EQ(read.value().sources[0].ip, "10.0.0.0/8");
  EXPECT_EQ(read.value().sources[0].port, -1);
  EXPECT_EQ(read.value().sources[1].port, 80);
  EXPECT_FALSE(route_from_json(object_of(R"({"sources": [{"ip": 5}]})")));
}

TEST(Uuid, IsSixteenBytes) {
  const auto uuid = parse_uuid("00112233-4455-6677-8899-aAbBcCdDeEfF");
  ASSERT_TRUE(uuid);
  EXPECT_EQ((*uuid)[0], 0x00);
  EXPECT_EQ((*uuid)[7], 0x77);
  EXPECT_EQ((*uuid)[15], 0xff);
  for (const char* bad : {"", "00112233-4455-6677-8899-aabbccddeef", "00112233x4455-6677-8899-aabbccddeeff",
                          "0011223g-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff0"}) {
    EXPECT_FALSE(parse_uuid(bad)) << bad;
  }
}

json::object plugin_entity(std::string_view more) {
  json::object input = object_of(more);
  input["name"] = "request-response-logger";
  return schema::check_insert(plugin_entity_schema(test::plugin_rows().at("request-response-logger")), input).entity;
}

TEST(Snapshot, TravelsThroughItsFile) {
  const testing::TemporaryDirectory directory;
  const std::string text = serialize_snapshot(
      7,
      {{"services", {service_entity()}},
       {"routes", {schema::check_insert(route_schema(), object_of(R"({"paths": ["/a"]})")).entity}},
       {"plugins",
        {plugin_entity(
             R"({"config": {"timeout": 0.25}, "service": {"id": "11111111-1111-4111-8111-111111111111"}})"),
         plugin_entity(R"({"enabled": false})")}}});
  ASSERT_TRUE(save_snapshot(directory.path(), 7, text));
  const Result<Snapshot> snapshot = load_snapshot(directory.path(), 7);
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(snapshot->generation, 7U);
  ASSERT_EQ(snapshot->services.size(), 1U);
  EXPECT_EQ(snapshot->services[0].host, "h");
  ASSERT_EQ(snapshot->routes.size(), 1U);
  EXPECT_EQ(snapshot->routes[0].paths, std::vector<std::string>{"/a"});
  ASSERT_EQ(snapshot->plugins.size(), 1U) << "a disabled plugin does not travel";
  EXPECT_EQ(snapshot->plugins[0].service_id, "11111111-1111-4111-8111-111111111111");
  EXPECT_EQ(snapshot->plugins[0].config.at("timeout"), 0.25);
  EXPECT_EQ(snapshot->plugins[0].config.at("max_body_size"), 1024);
}

TEST(Snapshot, MayBeEmpty) {
  const Result<Snapshot> snapshot = parse_snapshot(serialize_snapshot(1, {}));
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE(snapshot->services.empty());
}

json::object consumer(std::string id, std::string username) {
  return {{"id", std::move(id)}, {"username", std::move(username)}};
}
std::string names(const Snapshot& snapshot) {
  std::string all;
  for (const Consumer& each : snapshot.consumers) all += each.id + "=" + each.username + " ";
  return all;
}

TEST(Snapshot, MayHoldWhatDiffersFromAnOlderOne) {
  const testing::TemporaryDirectory directory;
  ASSERT_TRUE(save_snapshot(directory.path(), 1,
                            serialize_snapshot(1, {{"consumers", {consumer("b", "1"), consumer("d", "1"), consumer("f", "1")}},
                                                   {"targets", {json::object{{"id", "a"}, {"created_at", 2}},
                                                                json::object{{"id", "b"}, {"created_at", 1}}}}})));
  const json::object changed = consumer("d", "2"), first = consumer("a", "2"), last = consumer("g", "2");
  const json::object target{{"id", "c"}, {"created_at", 1.5}};
  const std::vector<SnapshotChange> changes{{"consumers", "d", &changed}, {"consumers", "g", &last},
                                            {"consumers", "a", &first},  {"consumers", "f", nullptr},
                                            {"consumers", "x", nullptr}, {"targets", "c", &target}};
  ASSERT_TRUE(save_snapshot(directory.path(), 2, serialize_changes(2, 1, changes)));

  // Whoever starts with it reads the base too; who read the base before has it still, and as it was.
  for (int round = 0; round < 2; ++round) {
    SnapshotReader reader(directory.path());
    if (round == 1) {
      ASSERT_TRUE(reader.load(1));
    }
    const auto snapshot = reader.load(2);
    ASSERT_TRUE(snapshot) << snapshot.error().message;
    EXPECT_EQ(snapshot->generation, 2U);
    EXPECT_EQ(names(*snapshot), "a=2 b=1 d=2 g=2 ");
    ASSERT_EQ(snapshot->targets.size(), 3U);
    EXPECT_EQ(snapshot->targets[0].id + snapshot->targets[1].id + snapshot->targets[2].id, "bca");
    EXPECT_EQ(names(*reader.load(1)), "b=1 d=1 f=1 ");
  }
  EXPECT_NE(SnapshotReader("/nowhere").parse(serialize_changes(3, 1, changes)).error().message.find("snapshot.1"),
            std::string::npos);
  ASSERT_TRUE(save_snapshot(directory.path(), 3, serialize_changes(3, 2, {})));
  EXPECT_EQ(load_snapshot(directory.path(), 3).error().message, "snapshot: its base is not whole");
}

TEST(Snapshot, CarriesWhatPluginsBring) {
  const auto key = [](const char* id, const char* text) {
    return json::object{{"id", id}, {"key", text}, {"consumer", {{"id", "c"}}}, {"ttl", 77}, {"tags", nullptr}, {"on", true}};
  };
  const auto keys = [](const Snapshot& snapshot, const char* collection) {
    std::string text;
    if (const auto found = snapshot.plugin_entities.find(collection); found != snapshot.plugin_entities.end())
      for (const auto& entity : found->second) text += entity->id + "=" + entity->fields[1].second + " ";
    return text;
  };
  const testing::TemporaryDirectory directory;
  ASSERT_TRUE(save_snapshot(directory.path(), 1, serialize_snapshot(1, {{"keys", {key("b", "1"), key("a", "1"), key("c", "1")}},
                                                                       {"vaults", {json::object{{"id", "v"}}}}})));
  SnapshotReader reader(directory.path());
  const auto whole = reader.load(1);
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(keys(*whole, "keys"), "a=1 b=1 c=1 ");
  EXPECT_FALSE(whole->plugin_entities.contains("vaults"));
  const PluginEntity& entity = *whole->plugin_entities.at("keys").front();
  EXPECT_EQ(entity.consumer_id, "c");
  EXPECT_EQ(entity.expires_at_s, 77);
  EXPECT_EQ(entity.fields.back().first + "=" + entity.fields.back().second, "on=true");

  const auto d = key("d", "2"), b = key("b", "2"), other = key("x", "2");
  const auto changed = reader.parse(serialize_changes(2, 1, {{"keys", "d", &d}, {"keys", "b", &b}, {"keys", "c", nullptr}, {"more", "x", &other}}));
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_EQ(keys(*changed, "keys"), "a=1 b=2 d=2 ");
  EXPECT_EQ(keys(*changed, "more"), "x=2 ");
  EXPECT_EQ(keys(*reader.parse(serialize_changes(3, 1, {{"keys", "a", nullptr}})), "keys"), "b=1 c=1 ");
  EXPECT_FALSE(reader.parse(R"({"generation": 4, "keys": [{"key": "no id"}]})"));
}

TEST(Snapshot, LeavesPluginsOutThatAreSwitchedOffLater) {
  const testing::TemporaryDirectory directory;
  const json::object off{{"id", "1"}, {"name", "p"}, {"enabled", false}};
  ASSERT_TRUE(save_snapshot(directory.path(), 1, serialize_snapshot(1, {{"plugins", {json::object{{"id", "1"}, {"name", "p"}}}}})));
  SnapshotReader reader(directory.path());
  EXPECT_EQ(reader.load(1)->plugins.size(), 1U);
  EXPECT_TRUE(reader.parse(serialize_changes(2, 1, {{"plugins", "1", &off}}))->plugins.empty());
}

TEST(Snapshot, IsRefusedWhereItIsBroken) {
  for (const char* text : {"", "{", "[]", "{}", R"({"generation": "x"})", R"({"generation": -1})",
                           R"({"generation": 1, "services": {}})", R"({"generation": 1, "routes": [5]})",
                           R"({"generation": 1, "plugins": [{"name": 5}]})"}) {
    const Result<Snapshot> snapshot = parse_snapshot(text);
    ASSERT_FALSE(snapshot) << text;
    EXPECT_TRUE(snapshot.error().message.starts_with("snapshot: ")) << snapshot.error().message;
  }
  const testing::TemporaryDirectory directory;
  EXPECT_NE(load_snapshot(directory.path(), 3).error().message.find("snapshot.3"), std::string::npos);
}

}  // namespace
}  // namespace gibbon::config
