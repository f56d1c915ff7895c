// What a browser on another origin may read, what GET / shows, and a gateway that drains.
#include "base/json_text.hpp"
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

std::string header(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}

std::shared_ptr<Settings> settings_of(Settings::Values values) {
  auto settings = Settings::from_values(values);
  EXPECT_TRUE(settings.ok()) << settings.error().message;
  return std::make_shared<Settings>(std::move(*settings));
}

http::Response ask(Host& host, const std::string& method, std::vector<http::Header> headers) {
  http::Request request;
  request.method = method;
  request.target = request.path = "/services";
  request.headers = std::move(headers);
  return Api(host, Api::Kind::kAdmin).handle(request);
}

TEST(Origins, WithoutASettingEveryOriginMayRead) {
  const auto host = TestHost::with_database();
  EXPECT_EQ(header(ask(*host, "GET", {}), "Access-Control-Allow-Origin"), "*");
  const auto answer = ask(*host, "GET", {{"Origin", "http://elsewhere.test"}});
  EXPECT_EQ(header(answer, "Access-Control-Allow-Origin"), "http://elsewhere.test");
  EXPECT_EQ(header(answer, "Access-Control-Allow-Credentials"), "true");
}

TEST(Origins, KongManagersOwnAreAllowedAlone) {
  const auto host = TestHost::with_database();
  host->use(settings_of({{"admin_gui_url", "http://localhost:8002/manager, https://kong.test"}}));
  for (const auto& [origin, allowed] : {std::pair("http://localhost:8002", "http://localhost:8002"),
                                        std::pair("https://kong.test", "https://kong.test"),
                                        std::pair("http://evil.test", "http://localhost:8002")})
    EXPECT_EQ(header(ask(*host, "GET", {{"Origin", origin}}), "Access-Control-Allow-Origin"), allowed);
  EXPECT_EQ(header(ask(*host, "GET", {}), "Access-Control-Allow-Origin"), "http://localhost:8002");
}

TEST(Origins, APreflightIsToldWhatItAskedFor) {
  const auto host = TestHost::with_database();
  const auto answer = ask(*host, "OPTIONS", {{"Access-Control-Request-Headers", "kong-admin-token, content-type"}});
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(header(answer, "Access-Control-Allow-Headers"), "kong-admin-token, content-type");
  EXPECT_EQ(header(ask(*host, "OPTIONS", {}), "Access-Control-Allow-Headers"), "Content-Type");
}

TEST(Bodies, OneTypeAlone) {
  const auto host = TestHost::with_database();
  const auto answer = ask(*host, "POST", {{"Content-Type", "application/json"}, {"content-type", "text/plain"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, R"({"message":"Multiple Content-Type headers not allowed"})");
}

TEST(Queries, AsManyArgumentsAsKongReads) {
  const auto host = TestHost::with_database();
  std::string query = "/services?a=1";
  for (int i = 1; i < 1000; ++i) query += "&a=1";
  EXPECT_EQ(Client(*host).get(query).status, 200);
  const auto refused = Client(*host).get(query + "&a=1");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body.at("message"), "Too many arguments");
}

TEST(Root, ShowsEachValueInItsTypeAndNoSecret) {
  const auto host = TestHost::with_database();
  host->use(settings_of({{"proxy_listen", "127.0.0.1:8000 reuseport backlog=512, [::1]:8443 ssl http2"},
                         {"admin_listen", "off"},
                         {"pg_password", "hush"},
                         {"declarative_config_string", "hush"},
                         {"proxy_access_log", "off"},
                         {"real_ip_recursive", "on"},
                         {"nginx_http_gzip", "on"},
                         {"admin_gui_url", "http://localhost:8002/x"}}));
  const auto answer = Client(*host).get("/");
  EXPECT_EQ(answer.text.find("hush"), std::string::npos);
  const auto& shown = answer.body.at("configuration").as_object();
  const auto at = [&](const char* key) { return to_text(shown.at(key)); };
  EXPECT_EQ(at("pg_password"), "\"******\"");
  EXPECT_EQ(at("declarative_config_string"), "\"******\"");
  EXPECT_EQ(at("ssl_cert_key"), "\"******\"");
  EXPECT_EQ(at("proxy_access_log"), "\"off\"");
  EXPECT_EQ(at("real_ip_recursive"), "\"on\"");
  EXPECT_EQ(at("anonymous_reports"), "false");
  EXPECT_EQ(at("upstream_keepalive_pool_size"), "512");
  EXPECT_EQ(at("admin_listen"), "[\"off\"]");
  EXPECT_EQ(at("admin_listeners"), "[]");
  EXPECT_EQ(at("proxy_ssl_enabled"), "true");
  EXPECT_EQ(at("admin_gui_origin"), "[\"http://localhost:8002\"]");
  EXPECT_NE(at("nginx_http_directives").find(R"({"name":"gzip","value":"on"})"), std::string::npos);
  const auto& listeners = shown.at("proxy_listeners").as_array();
  EXPECT_EQ(listeners.at(0).at("backlog=512"), true);
  EXPECT_EQ(listeners.at(1).at("backlog=%d+"), false);
  EXPECT_EQ(listeners.at(1).at("http2"), true);
  EXPECT_EQ(listeners.at(1).at("ip"), "::1");
  EXPECT_FALSE(shown.contains("declarative_config"));  // not set
}

TEST(Settings, AUrlOfKongManagersHasASchemeAndAHost) {
  for (const char* url : {"localhost:8002", "http://", "://x", "http:///path"}) {
    const auto settings = Settings::from_values({{"admin_gui_url", url}});
    ASSERT_FALSE(settings.ok()) << url;
    EXPECT_EQ(settings.error().field, "admin_gui_url");
  }
}

TEST(Ready, ADrainingGatewayIsNot) {
  const auto host = TestHost::with_database();
  host->is_ready = true;
  const Client status(*host, Api::Kind::kStatus);
  EXPECT_EQ(status.form("POST", "/status/ready", "status=running").status, 400);
  EXPECT_EQ(status.send("POST", "/status/ready").status, 400);
  EXPECT_EQ(status.get("/status/ready").status, 200);
  EXPECT_EQ(status.form("POST", "/status/ready", "status=draining").status, 204);
  const auto answer = status.get("/status/ready");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body.at("message"), "draining");
}

TEST(Ready, WithoutADatabaseOnlyWithAConfiguration) {
  const auto host = TestHost::without_database();
  host->is_ready = true;
  const Client client(*host), status(*host, Api::Kind::kStatus);
  EXPECT_EQ(status.get("/status/ready").body.at("message"),
            "no configuration available (empty configuration present)");
  ASSERT_EQ(client.send("POST", "/config", "_format_version: '3.0'\nservices: [{name: a, host: h}]", "text/yaml").status,
            201);
  EXPECT_EQ(status.get("/status/ready").status, 200);
}

}  // namespace
}  // namespace gibbon::agent::test
