// Health of upstreams in the Admin API, and setting it.
#include <chrono>

#include "config/target_view.hpp"
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

class UpstreamAdminTest : public ::testing::Test {
 protected:
  std::unique_ptr<TestHost> host_ = TestHost::with_database();
  Client client_{*host_};

  UpstreamAdminTest() { host_->make_health(); }

  static std::int64_t milliseconds() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  /// Made before the clock's next millisecond, so that each has a time of its own.
  json::object made(const std::string& path, const std::string& form) {
    const auto answer = client_.form("POST", path, form);
    EXPECT_EQ(answer.status, 201) << answer.text;
    for (const auto now = milliseconds(); milliseconds() == now;) {
    }
    return answer.body.is_object() ? answer.body.get_object() : json::object();
  }
  json::object health(const std::string& query = "") {
    const auto answer = client_.get("/upstreams/u.test/health" + query);
    EXPECT_EQ(answer.status, 200) << answer.text;
    return answer.body.get_object();
  }
  void checked_upstream() { made("/upstreams", "name=u.test&healthchecks.passive.unhealthy.tcp_failures=3"); }
  int put(const std::string& path) { return client_.send("PUT", "/upstreams/u.test/targets/" + path).status; }
};

TEST_F(UpstreamAdminTest, WithoutChecksTheyAreOff) {
  made("/upstreams", "name=u.test");
  const auto target = made("/upstreams/u.test/targets", "target=10.0.0.1:81&weight=7");
  const auto shown = health();
  EXPECT_EQ(shown.at("node_id"), host_->node_id().c_str());
  EXPECT_EQ(shown.at("next"), nullptr);
  EXPECT_FALSE(shown.contains("offset"));
  json::object wanted = target;
  wanted["health"] = "HEALTHCHECKS_OFF";
  wanted["data"] = {
      {"host", "10.0.0.1"},
      {"port", 81},
      {"dns", "A"},
      {"nodeWeight", 7},
      {"weight", {{"total", 7}, {"unavailable", 0}, {"available", 7}}},
      {"addresses", {{{"ip", "10.0.0.1"}, {"port", 81}, {"weight", 7}, {"health", "HEALTHCHECKS_OFF"}}}}};
  EXPECT_EQ(shown.at("data"), json::value({wanted})) << json::serialize(shown);
  const auto refused = client_.send("PUT", "/upstreams/u.test/targets/10.0.0.1:81/unhealthy");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body.at("message"), "no healthchecker found for u.test");
}

TEST_F(UpstreamAdminTest, HealthIsSetForATargetOrForOneOfItsAddresses) {
  checked_upstream();
  const auto target = made("/upstreams/u.test/targets", "target=10.0.0.1:80");
  const auto state = [&] { return health().at("data").at(0).at("health").as_string(); };
  EXPECT_EQ(state(), "HEALTHY");
  EXPECT_EQ(put("10.0.0.1:80/unhealthy"), 204);
  EXPECT_EQ(state(), "UNHEALTHY");
  const auto data = health().at("data").at(0).at("data");
  EXPECT_EQ(data.at("weight"), json::value({{"total", 100}, {"unavailable", 100}, {"available", 0}}));
  EXPECT_EQ(data.at("addresses").at(0).at("health"), "UNHEALTHY");
  EXPECT_EQ(put(std::string(target.at("id").as_string()) + "/healthy"), 204);
  EXPECT_EQ(state(), "HEALTHY");
  EXPECT_EQ(put("10.0.0.1:80/10.0.0.1:80/unhealthy"), 204);
  EXPECT_EQ(state(), "UNHEALTHY");
  EXPECT_EQ(put("10.0.0.1:80/10.0.0.2:80/healthy"), 204);
  EXPECT_EQ(state(), "UNHEALTHY");
  EXPECT_EQ(put("10.0.0.9:80/healthy"), 404);
  EXPECT_EQ(client_.send("PUT", "/upstreams/none/targets/10.0.0.1:80/healthy").status, 404);
  EXPECT_EQ(client_.send("POST", "/upstreams/u.test/targets/10.0.0.1:80/healthy").status, 405);
}

TEST_F(UpstreamAdminTest, NamesAreAsTheWorkersFoundThem) {
  checked_upstream();
  made("/upstreams/u.test/targets", "target=a.test:80");
  made("/upstreams/u.test/targets", "target=b.test:80");
  const auto id = std::string(client_.get("/upstreams/u.test").body.at("id").as_string());
  EXPECT_EQ(health().at("data").at(0).at("health"), "DNS_ERROR");
  ASSERT_TRUE(config::save_target_views(host_->shared_directory(), id,
                                        {{"a.test:80", "SRV", {{"10.0.0.1", 81, 5}, {"10.0.0.2", 82, 6}}},
                                         {"b.test:80", "dns server error: 3 name error", {}}}));
  const auto data = health().at("data");
  EXPECT_EQ(data.at(0).at("target"), "b.test:80");  // The newest first.
  EXPECT_EQ(data.at(0).at("health"), "DNS_ERROR");
  EXPECT_EQ(data.at(0).at("data").at("dns"), "dns server error: 3 name error");
  EXPECT_EQ(data.at(0).at("data").at("addresses"), json::array());
  EXPECT_EQ(data.at(1).at("health"), "HEALTHY");
  EXPECT_EQ(data.at(1).at("data").at("addresses").at(1),
            json::value({{"ip", "10.0.0.2"}, {"port", 82}, {"weight", 6}, {"health", "HEALTHY"}}));
  EXPECT_EQ(put("a.test:80/10.0.0.2:82/unhealthy"), 204);
  EXPECT_EQ(health().at("data").at(1).at("health"), "HEALTHY");  // One address is enough.
  EXPECT_EQ(put("a.test:80/unhealthy"), 204);
  EXPECT_EQ(health().at("data").at(1).at("health"), "UNHEALTHY");
}

TEST_F(UpstreamAdminTest, TheBalancersHealthFollowsTheThreshold) {
  made("/upstreams", "name=u.test&healthchecks.passive.unhealthy.timeouts=1&healthchecks.threshold=50");
  made("/upstreams/u.test/targets", "target=10.0.0.1:80&weight=50");
  made("/upstreams/u.test/targets", "target=10.0.0.2:80&weight=50");
  auto data = health("?balancer_health=1").at("data");
  EXPECT_EQ(data.at("health"), "HEALTHY");
  EXPECT_EQ(data.at("balancer_health"), "HEALTHY");
  EXPECT_EQ(data.at("details").at("hosts").at(0).at("addresses"),
            json::value({{{"ip", "10.0.0.1"}, {"port", 80}, {"weight", 50}, {"healthy", true}}}));
  put("10.0.0.1:80/unhealthy");
  data = health("?balancer_health=1").at("data");
  EXPECT_EQ(data.at("health"), "UNHEALTHY");
  EXPECT_EQ(data.at("details").at("healthy"), false);
  EXPECT_EQ(data.at("details").at("weight"),
            json::value({{"total", 100}, {"unavailable", 50}, {"available", 50}}));
}

TEST_F(UpstreamAdminTest, TargetsComeTheNewestFirstAndInPages) {
  made("/upstreams", "name=u.test");
  for (const char* target : {"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"})
    made("/upstreams/u.test/targets", std::string("tags[]=x&target=") + target);
  for (const std::string list : {"targets", "health"}) {
    const auto first = client_.get("/upstreams/u.test/" + list + "?size=2").body.get_object();
    ASSERT_EQ(first.at("data").as_array().size(), 2u);
    EXPECT_EQ(first.at("data").at(0).at("target"), "10.0.0.3:80");
    EXPECT_EQ(first.at("offset"), "2");
    const auto second = client_.get("/upstreams/u.test/" + list + "?size=2&offset=2").body.get_object();
    ASSERT_EQ(second.at("data").as_array().size(), 1u);
    EXPECT_EQ(second.at("data").at(0).at("target"), "10.0.0.1:80");
    EXPECT_EQ(second.at("next"), nullptr);
  }
  EXPECT_EQ(client_.get("/upstreams/u.test/targets/all").body.at("data").as_array().size(), 3u);
  EXPECT_EQ(client_.get("/upstreams/u.test/targets?tags=y").body.at("data").as_array().size(), 0u);
  EXPECT_EQ(client_.get("/upstreams/none/targets").status, 404);
  EXPECT_EQ(client_.get("/upstreams/none/health").status, 404);
  EXPECT_EQ(client_.get("/upstreams/none/targets/all").status, 404);
}

TEST_F(UpstreamAdminTest, MetricsTellTheStateOfEachAddress) {
  EXPECT_EQ(client_.get("/metrics").text.find("kong_upstream_target_health"), std::string::npos);
  checked_upstream();
  made("/upstreams/u.test/targets", "target=10.0.0.1:80");
  made("/upstreams/u.test/targets", "target=a.test:80");
  const auto text = client_.get("/metrics").text;
  const auto has = [&](const std::string& line) {
    return text.find("kong_upstream_target_health{upstream=\"u.test\"," + line) != std::string::npos;
  };
  EXPECT_TRUE(has("target=\"10.0.0.1:80\",address=\"10.0.0.1:80\",state=\"healthy\",subsystem=\"http\"} 1\n"))
      << text;
  EXPECT_TRUE(
      has("target=\"10.0.0.1:80\",address=\"10.0.0.1:80\",state=\"unhealthy\",subsystem=\"http\"} 0\n"));
  EXPECT_TRUE(has("target=\"a.test:80\",address=\"\",state=\"dns_error\",subsystem=\"http\"} 1\n"));
}

}  // namespace
}  // namespace gibbon::agent::test
