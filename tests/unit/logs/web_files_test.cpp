#include "logs/web_files.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "temporary_directory.hpp"

namespace gibbon::logs {
namespace {

class Web : public testing::Test {
 protected:
  void SetUp() override {
    write("/page/index.html", "<html>index</html>");
    write("/page/favicon.svg", "<svg/>");
    write("/page/assets/app-1a2b.js", "js");
    write("/page/.hidden", "hidden");
    write("/secret.txt", "secret");
    std::filesystem::create_symlink(directory_.path() + "/secret.txt", directory_.path() + "/page/link.txt");
  }
  void write(const std::string& name, const char* text) {
    const auto file = directory_.path() + name;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file) << text;
  }
  http::Response get(const std::string& path, const std::string& if_none_match = "") {
    http::Request request;
    request.method = "GET";
    request.path = path;
    if (!if_none_match.empty()) request.headers = {{"If-None-Match", if_none_match}};
    return WebFiles(directory_.path() + "/page").serve(request);
  }
  static std::string header(const http::Response& response, std::string_view name) {
    for (const auto& header : response.headers) {
      if (header.name == name) return header.value;
    }
    return "";
  }

  test::TemporaryDirectory directory_;
};

TEST_F(Web, ServesFiles) {
  const struct {
    const char* path;
    const char* body;
    const char* type;
    const char* cache;
  } cases[] = {
      {"/", "<html>index</html>", "text/html; charset=utf-8", "no-cache"},
      {"/index.html", "<html>index</html>", "text/html; charset=utf-8", "no-cache"},
      {"/favicon.svg", "<svg/>", "image/svg+xml", "no-cache"},
      {"/assets/app-1a2b.js", "js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
      {"/assets/app%2D1a2b.js", "js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"}};
  for (const auto& [path, body, type, cache] : cases) {
    const auto response = get(path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.body, body) << path;
    EXPECT_EQ(header(response, "Content-Type"), type) << path;
    EXPECT_EQ(header(response, "Cache-Control"), cache) << path;
    EXPECT_EQ(header(response, "X-Content-Type-Options"), "nosniff") << path;
    EXPECT_NE(header(response, "Content-Security-Policy").find("default-src 'none'"), std::string::npos) << path;
  }
}

TEST_F(Web, NothingElse) {
  for (const char* path : {"/missing.js", "/entries/17", "/assets", "/assets/missing.css", "/../secret.txt", "/%2e%2e/secret.txt",
                           "/assets/../../secret.txt", "/..%2fsecret.txt", "/.hidden", "/link.txt", "/a\\..\\b.txt",
                           "/index.html%00.js", "//etc/passwd.txt", "*", "/./index.html"}) {
    const auto response = get(path);
    EXPECT_EQ(response.status, 404) << path << response.body;
    EXPECT_EQ(response.body, R"({"message":"Not found"})") << path;
  }
}

TEST_F(Web, Revalidates) {
  const auto first = get("/favicon.svg");
  const auto tag = header(first, "ETag");
  ASSERT_FALSE(tag.empty());
  const auto second = get("/favicon.svg", "W/\"x\", " + tag);
  EXPECT_EQ(second.status, 304);
  EXPECT_EQ(second.body, "");
  EXPECT_EQ(header(second, "ETag"), tag);
  write("/page/favicon.svg", "<svg>changed</svg>");
  EXPECT_EQ(get("/favicon.svg", tag).body, "<svg>changed</svg>");
}

TEST_F(Web, SaysThatThePageIsMissing) {
  http::Request request;
  request.path = "/";
  for (const auto& missing : {std::string(), directory_.path() + "/none"}) {
    const auto response = WebFiles(missing).serve(request);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(header(response, "Content-Type"), "text/plain; charset=utf-8");
    EXPECT_NE(response.body.find("GET /logs?limit=10"), std::string::npos);
    EXPECT_NE(response.body.find(missing), std::string::npos);
  }
}

}  // namespace
}  // namespace gibbon::logs
