// Whom the Admin API lets in.
#include "agent/admin/guard.hpp"

#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

http::Request request(const std::string& method, const std::string& token) {
  http::Request request;
  request.method = method;
  request.path = request.target = "/services";
  if (!token.empty()) request.headers.push_back({"kong-admin-token", token});
  return request;
}

TEST(Guard, LetsEverybodyInWithoutAToken) {
  const auto guard = Guard::load(Settings());
  ASSERT_TRUE(guard);
  EXPECT_FALSE((*guard)->wants_token());
  EXPECT_TRUE((*guard)->admits(request("POST", "")));
}

TEST(Guard, WantsTheWholeToken) {
  Settings settings;
  settings.admin_token = "correct-horse";
  const auto guard = Guard::load(settings);
  ASSERT_TRUE(guard);
  EXPECT_TRUE((*guard)->admits(request("GET", "correct-horse")));
  for (const char* wrong : {"", "correct-hors", "correct-horse2", "Correct-horse"})
    EXPECT_FALSE((*guard)->admits(request("GET", wrong))) << wrong;
  EXPECT_TRUE((*guard)->admits(request("OPTIONS", ""))) << "a preflight cannot hold it";
  EXPECT_FALSE((*guard)->admits(request("HEAD", "")));
}

TEST(Guard, ReadsTheTokenFromAFile) {
  const TemporaryFolder folder;
  Settings settings;
  settings.admin_token_file = folder.file("token");
  EXPECT_EQ(Guard::load(settings).error().message,
            "admin_token_file: cannot read " + folder.file("token") + ": No such file or directory");
  std::ofstream(folder.file("token")) << "  from-a-file\n";
  const auto guard = Guard::load(settings);
  ASSERT_TRUE(guard) << guard.error().message;
  EXPECT_TRUE((*guard)->admits(request("GET", "from-a-file")));
  EXPECT_FALSE((*guard)->admits(request("GET", "")));
  for (const char* bad : {"", " \n", "two secret words"}) {
    std::ofstream(folder.file("token"), std::ios::trunc) << bad;
    const auto refused = Guard::load(settings);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message.find("secret"), std::string::npos);
  }
}

class GuardedHost : public TestHost {
 public:
  using TestHost::TestHost;
  [[nodiscard]] std::shared_ptr<const Guard> guard() const override {
    Settings settings;
    settings.admin_token = "correct-horse";
    return Guard::load(settings).value();
  }
};

TEST(Guard, StandsBeforeTheWholeApi) {
  GuardedHost host(std::make_unique<DeclarativeStore>(Collections::core()));
  const Api admin(host, Api::Kind::kAdmin), status(host, Api::Kind::kStatus);
  const auto header = [](const http::Response& response, std::string_view name) {
    for (const auto& each : response.headers)
      if (each.name == name) return each.value;
    return std::string();
  };
  const auto refused = admin.handle(request("POST", "wrong"));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.body, "{\"message\":\"Unauthorized\"}");
  EXPECT_EQ(header(refused, "Access-Control-Allow-Origin"), "*");
  auto unknown = request("GET", "");
  unknown.path = unknown.target = "/nothing";
  EXPECT_EQ(admin.handle(unknown).status, 401) << "nor does it tell what there is";
  EXPECT_EQ(admin.handle(request("GET", "correct-horse")).status, 200);
  const auto preflight = admin.handle(request("OPTIONS", ""));
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(header(preflight, "Access-Control-Allow-Headers"), "Content-Type, Kong-Admin-Token");
  auto probe = request("GET", "");
  probe.path = probe.target = "/status";
  EXPECT_EQ(status.handle(probe).status, 200) << "the status API has no guard";
  EXPECT_EQ(admin.handle(probe).status, 401);
}

TEST(Guard, AddsNothingWhereThereIsNone) {
  const auto host = TestHost::with_database();
  EXPECT_EQ(Client(*host).send("OPTIONS", "/services").header("Access-Control-Allow-Headers"),
            "Content-Type");
}

}  // namespace
}  // namespace gibbon::agent::test
