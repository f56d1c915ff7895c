// What the recorded cases do not show: nesting, paging by links, writes at the same time, the status API,
// /config.
#include <regex>
#include <set>
#include <thread>

#include "agent/delivery_report.hpp"
#include "base/json_text.hpp"
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

class Admin : public ::testing::Test {
 protected:
  std::string make_service(const std::string& name) {
    const auto made = client_.form("POST", "/services", "name=" + name + "&url=http://localhost:1");
    EXPECT_EQ(made.status, 201) << made.text;
    return std::string(made.body.at("id").as_string());
  }
  std::unique_ptr<TestHost> host_ = TestHost::with_database();
  Client client_{*host_};
};

TEST_F(Admin, EveryAnswerHasKongsHeaders) {
  for (const char* path : {"/", "/services", "/nope"}) {
    const auto answer = client_.get(path);
    EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(answer.header("Access-Control-Allow-Credentials"), "true");
    EXPECT_TRUE(answer.header("Server").starts_with("kong/3.9.3 gibbon/"));
    EXPECT_FALSE(answer.header("X-Kong-Admin-Latency").empty());
    EXPECT_EQ(answer.header("Content-Type"), "application/json; charset=utf-8");
  }
}

TEST_F(Admin, AFormHasALimit) {
  std::string fields = "name=many&host=h";
  for (int i = 0; i < 1000; ++i) fields += "&tags[]=t" + std::to_string(i);
  const auto answer = client_.form("POST", "/services", fields);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body.at("message").as_string(), "Too many arguments");
  EXPECT_EQ(client_.get("/services/many").status, 404);
}

TEST_F(Admin, PagesLinkToEachOther) {
  std::set<std::string> expected, seen;
  for (int i = 0; i < 7; ++i) {
    const auto name = "s" + std::to_string(i);
    expected.insert(name);
    ASSERT_EQ(client_.form("POST", "/services", "name=" + name + "&host=h&tags[]=a%20b").status, 201);
  }
  make_service("untagged");
  std::string next = "/services?size=3&tags=a%20b";
  int pages = 0;
  while (!next.empty()) {
    const auto page = client_.get(next);
    ASSERT_EQ(page.status, 200) << page.text;
    ++pages;
    for (const auto& service : page.body.at("data").as_array())
      seen.insert(std::string(service.at("name").as_string()));
    next = page.body.at("next").is_null() ? "" : std::string(page.body.at("next").as_string());
  }
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(seen, expected);
}

TEST_F(Admin, NestedPagesLinkToEachOther) {
  make_service("a");
  for (const char* path : {"/x", "/y", "/z"})
    ASSERT_EQ(client_.form("POST", "/services/a/routes", std::string("paths[]=") + path).status, 201);
  auto page = client_.get("/services/a/routes?size=2");
  ASSERT_EQ(page.body.at("data").as_array().size(), 2u);
  const std::string next(page.body.at("next").as_string());
  EXPECT_TRUE(next.starts_with("/services/a/routes?offset=")) << next;
  EXPECT_EQ(client_.get(next).body.at("data").as_array().size(), 1u);
}

TEST_F(Admin, AChildIsFoundUnderItsParentAlone) {
  make_service("a");
  make_service("b");
  ASSERT_EQ(client_.form("POST", "/services/a/routes", "name=r&paths[]=/r").status, 201);
  EXPECT_EQ(client_.get("/services/a/routes/r").status, 200);
  EXPECT_EQ(client_.get("/services/b/routes/r").status, 404);
  EXPECT_EQ(client_.form("PATCH", "/services/b/routes/r", "strip_path=false").status, 404);
  EXPECT_EQ(client_.send("DELETE", "/services/b/routes/r").status, 404);
  EXPECT_EQ(client_.form("PATCH", "/services/a/routes/r", "strip_path=false").body.at("strip_path"),
            json::value(false));
  EXPECT_EQ(client_.send("DELETE", "/services/a/routes/r").status, 204);
}

TEST_F(Admin, TheServiceOfARouteCanBeReadChangedAndMade) {
  ASSERT_EQ(client_.form("POST", "/routes", "name=r&paths[]=/r").status, 201);
  EXPECT_EQ(client_.get("/routes/r/service").status, 404);
  EXPECT_EQ(client_.form("PATCH", "/routes/r/service", "port=1").status, 404);
  const auto made = client_.form("PUT", "/routes/r/service", "name=new&host=h");
  ASSERT_EQ(made.status, 200) << made.text;
  EXPECT_EQ(client_.get("/routes/r").body.at("service").at("id"), made.body.at("id"));
  EXPECT_EQ(client_.form("PATCH", "/routes/r/service", "port=81").body.at("port").as_int64(), 81);
  EXPECT_EQ(client_.get("/routes/r/service").body.at("name").as_string(), "new");
  EXPECT_EQ(client_.send("DELETE", "/routes/r/service").status, 405);
}

TEST_F(Admin, DeletingAServiceTakesItsPluginsAndIsRefusedWhileRoutesReferToIt) {
  make_service("a");
  const auto plugin = client_.form("POST", "/services/a/plugins", "name=correlation-id");
  ASSERT_EQ(plugin.status, 201) << plugin.text;
  ASSERT_EQ(client_.form("POST", "/services/a/routes", "name=r&paths[]=/r").status, 201);
  ASSERT_EQ(client_.form("POST", "/routes/r/plugins", "name=correlation-id").status, 201);
  EXPECT_EQ(client_.send("DELETE", "/services/a").status, 400);
  EXPECT_EQ(client_.get("/plugins").body.at("data").as_array().size(), 2u);
  EXPECT_EQ(client_.send("DELETE", "/routes/r").status, 204);
  EXPECT_EQ(client_.get("/plugins").body.at("data").as_array().size(), 1u);
  EXPECT_EQ(client_.send("DELETE", "/services/a").status, 204);
  EXPECT_EQ(client_.get("/plugins").body.at("data").as_array().size(), 0u);
}

TEST_F(Admin, AChangeWaitsForTheWorkersAndAReadDoesNot) {
  make_service("a");
  const int after_write = host_->waits;
  EXPECT_EQ(after_write, 1);
  EXPECT_EQ(client_.get("/services").status, 200);
  EXPECT_EQ(client_.form("POST", "/services", "name=a&host=h").status, 409);
  EXPECT_EQ(client_.send("DELETE", "/services/unknown").status, 204);
  EXPECT_EQ(host_->waits, after_write);
}

TEST_F(Admin, WritesAtTheSameTimeAllCount) {
  std::vector<std::thread> writers;
  for (int n = 0; n < 4; ++n)
    writers.emplace_back([&, n] {
      for (int i = 0; i < 25; ++i) {
        const auto name = "w" + std::to_string(n) + "-" + std::to_string(i);
        EXPECT_EQ(client_.form("PUT", "/services/" + name, "host=h").status, 200);
        EXPECT_EQ(client_.get("/services/" + name).status, 200);
      }
    });
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(client_.get("/services?size=1000").body.at("data").as_array().size(), 100u);
}

TEST_F(Admin, AnUnknownNameInAReferenceIsSaid) {
  const auto refused = client_.form("POST", "/routes", "paths[]=/x&service.name=nope");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body.at("message").as_string(),
            "foreign key unresolved (service.name: the foreign key cannot be resolved with '{name=\"nope\"}' "
            "for an "
            "existing 'services' entity)");
}

TEST_F(Admin, AnEntityHoldsWhatAnyJsonTextMayHold) {
  const auto made =
      client_.json("POST", "/services", json::parse(R"({"name":"ü-1","host":"h","tags":["a \"b\"\\"]})"));
  ASSERT_EQ(made.status, 201) << made.text;
  const auto found = client_.get("/services/%C3%BC-1");
  EXPECT_EQ(found.body, made.body);
}

TEST_F(Admin, SchemasDescribeThePlugins) {
  const auto schema = client_.get("/schemas/plugins/request-response-logger");
  ASSERT_EQ(schema.status, 200);
  const auto& config = schema.body.at("fields").at(0).at("config");
  EXPECT_TRUE(config.at("required").as_bool());
  EXPECT_EQ(config.at("fields").as_array().size(), 6u);
  EXPECT_EQ(client_.get("/plugins/schema/request-response-logger").body.at("fields"), config.at("fields"));
  EXPECT_EQ(client_.get("/schemas/services").status, 200);
  EXPECT_EQ(client_.form("POST", "/schemas/services/validate", "name=a").status, 400);
  EXPECT_EQ(client_.form("POST", "/schemas/services/validate", "host=h").status, 200);
  EXPECT_EQ(client_.get("/services").body.at("data").as_array().size(), 0u);
}

TEST_F(Admin, PluginsEnabledAreListed) {
  const auto names = client_.get("/plugins/enabled").body.at("enabled_plugins").as_array();
  EXPECT_NE(std::find(names.begin(), names.end(), json::value("request-response-logger")), names.end());
  const auto root = client_.get("/").body;
  EXPECT_EQ(root.at("version").as_string(), "3.9.3");
  EXPECT_EQ(
      root.at("plugins").at("available_on_server").at("request-response-logger").at("priority").as_int64(),
      1000);
}

TEST_F(Admin, HeadAndOptionsAnswerForEveryEndpoint) {
  EXPECT_EQ(client_.send("HEAD", "/services").status, 200);
  EXPECT_EQ(client_.send("HEAD", "/services/nope").status, 404);
  EXPECT_EQ(client_.send("OPTIONS", "/services/x").header("Allow"), "DELETE, GET, HEAD, OPTIONS, PATCH, PUT");
  EXPECT_EQ(client_.send("OPTIONS", "/nope").status, 404);
  EXPECT_EQ(client_.send("PUT", "/services", "{}", "application/json").status, 405);
  const auto list = client_.get("/endpoints").body.at("data").as_array();
  EXPECT_NE(std::find(list.begin(), list.end(), json::value("/services/{services}/plugins/{plugins}")),
            list.end());
}

TEST_F(Admin, BrokenBodiesAreRefused) {
  EXPECT_EQ(client_.send("POST", "/services", "x", "").status, 415);
  EXPECT_EQ(
      client_.send("POST", "/services", "--x\r\nnot multipart", "multipart/form-data; boundary=x").status,
      400);
  EXPECT_EQ(client_.send("POST", "/services", "", "multipart/form-data").status, 400);
  EXPECT_EQ(client_.send("POST", "/services", std::string(1000, '['), "application/json").status, 400);
}

TEST_F(Admin, TheStatusApiShowsStatusAlone) {
  const Client status(*host_, Api::Kind::kStatus);
  EXPECT_EQ(status.get("/status").body.at("database"), json::parse(R"({"reachable":true})"));
  EXPECT_EQ(status.get("/status/ready").status, 503);
  host_->is_ready = true;
  EXPECT_EQ(status.get("/status/ready").body.at("message").as_string(), "ready");
  EXPECT_EQ(status.get("/services").status, 404);
  EXPECT_EQ(client_.get("/status/ready").status, 404);
  EXPECT_EQ(client_.get("/config").status, 400);
}

TEST(Metrics, EveryFamilyIsDeclaredOnceAndEverySampleIsUnique) {
  DeliveryMetrics metrics;
  metrics.captured = 7;
  metrics.delivered = 4;
  metrics.dropped = {{"ring_full", 1}, {"too_large", 0}};
  metrics.pending_ring = 2;
  metrics.endpoints.resize(2);  // two destinations that differ in their timeouts alone
  metrics.endpoints[0].url = metrics.endpoints[1].url = "http://localhost/\"quoted\"\n";
  const auto host = TestHost::with_database();
  const auto text = Client(*host).get("/metrics").text + delivery_metrics(metrics);
  EXPECT_NE(text.find("gibbon_log_entries_dropped_total{reason=\"ring_full\"} 1\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("gibbon_log_entries_pending{where=\"ring\"} 2\n"), std::string::npos);

  const std::regex declaration("# (HELP|TYPE) ([a-z_]+) .+"),
      sample(R"re(([a-z_]+)(\{([a-z_]+="([^"\\]|\\.)*",?)+\})? [0-9]+)re");
  std::set<std::string> declared, samples;
  std::string current;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (line.starts_with("#")) {
      ASSERT_TRUE(std::regex_match(line, match, declaration)) << line;
      current = match[2];
      EXPECT_TRUE(declared.insert(match[1].str() + current).second) << line;
    } else {
      ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
      EXPECT_EQ(match[1], current) << "not under its declaration";
      EXPECT_TRUE(samples.insert(line.substr(0, line.rfind(' '))).second) << line;
    }
  }
  EXPECT_EQ(declared.size() % 2, 0u);
}

TEST(Config, AGoodDocumentReplacesEverythingAndABadOneNothing) {
  const auto host = TestHost::without_database();
  const Client client(*host);
  EXPECT_EQ(client.get("/status").body.at("configuration_hash").as_string(), kEmptyConfigurationHash);
  const std::string yaml = "_format_version: '3.0'\nservices:\n- name: a\n  host: h\n";
  ASSERT_EQ(client.send("POST", "/config", yaml, "text/yaml").status, 201);
  EXPECT_EQ(client.get("/services/a").status, 200);
  EXPECT_EQ(client.get("/status").body.at("configuration_hash").as_string(), configuration_hash(yaml));
  EXPECT_EQ(client.send("POST", "/config?check_hash=1", yaml, "text/yaml").status, 304);

  EXPECT_EQ(
      client.send("POST", "/config", "_format_version: '3.0'\nservices: [{name: b}]", "text/yaml").status,
      400);
  EXPECT_EQ(client.send("POST", "/config", "{", "text/yaml").status, 400);
  EXPECT_EQ(client.send("POST", "/config").status, 400);
  EXPECT_EQ(client.get("/services/a").status, 200);

  const auto exported = client.get("/config").body.at("config").as_string();
  ASSERT_EQ(
      client.form("POST", "/config", "config=" + http::percent_encode("{_format_version: '3.0'}")).status,
      201);
  EXPECT_EQ(client.get("/services/a").status, 404);
  ASSERT_EQ(client.json("POST", "/config", json::object{{"config", exported}}).status, 201);
  EXPECT_EQ(client.get("/services/a").status, 200);
}

}  // namespace
}  // namespace gibbon::agent::test
