#include "logs/service.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "../http/raw_client.hpp"
#include "base/json.hpp"
#include "temporary_directory.hpp"

namespace gibbon::logs {
namespace {

using test::RawClient;

class LogService : public testing::Test {
 protected:
  void SetUp() override { start(); }
  void start() {
    service_.reset();
    options_.listen = {http::Listen{}};
    options_.data_directory = directory_.path() + "/data";
    auto service = Service::start(options_);
    ASSERT_TRUE(service.ok()) << service.error().message;
    service_ = std::move(service).value();
    client_ = std::make_unique<RawClient>(service_->port());
  }
  static std::string entry(int n) {
    return R"({"id":)" + std::to_string(n) + R"(,"entry_id":"e)" + std::to_string(n) + "\"}";
  }
  test::Answer post(std::string_view body, std::string_view type = "application/json") {
    auto answer = client_->post("/logs", body, type);
    EXPECT_TRUE(answer);
    return answer.value_or(test::Answer{});
  }
  test::Answer get(std::string_view target) {
    auto answer = client_->get(target);
    EXPECT_TRUE(answer) << target;
    return answer.value_or(test::Answer{});
  }
  json::value get_json(std::string_view target) { return json::parse(get(target).body); }

  test::TemporaryDirectory directory_;
  Options options_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<RawClient> client_;
};

TEST_F(LogService, StoresWhatItIsSent) {
  const struct {
    const char* type;
    std::string body;
    const char* answer;
  } cases[] = {
      {"application/json", entry(1), R"({"stored":1,"duplicates":0})"},
      {"application/json; charset=utf-8", "[" + entry(2) + "," + entry(3) + "]", R"({"stored":2,"duplicates":0})"},
      {"application/x-ndjson", entry(4) + "\n" + entry(5) + "\n", R"({"stored":2,"duplicates":0})"},
      {"application/json", entry(6) + "\n" + entry(7), R"({"stored":2,"duplicates":0})"},
      {"application/x-www-form-urlencoded", entry(8), R"({"stored":1,"duplicates":0})"},
      {"", entry(9), R"({"stored":1,"duplicates":0})"},
      {"text/plain", entry(10), R"({"stored":1,"duplicates":0})"},
      {"image/png", entry(11), R"({"stored":1,"duplicates":0})"},
      {"application/json", "[]", R"({"stored":0,"duplicates":0})"},
      {"application/json", entry(1), R"({"stored":0,"duplicates":1})"},
      {"application/json", "[" + entry(12) + "," + entry(12) + "," + entry(2) + "]", R"({"stored":1,"duplicates":2})"},
  };
  for (const auto& [type, body, expected] : cases) {
    const auto answer = post(body, type);
    EXPECT_EQ(answer.status, 201) << body;
    EXPECT_EQ(answer.body, expected) << body;
    EXPECT_EQ(answer.headers.at("accept-post"), "application/json, application/x-ndjson");
  }
  const auto all = get_json("/logs?limit=100");
  ASSERT_EQ(all.at("data").as_array().size(), 12u);
  for (int n = 1; n <= 12; ++n) {
    EXPECT_EQ(all.at("data").as_array()[static_cast<std::size_t>(12 - n)].at("id"), n);
  }
}

TEST_F(LogService, KeepsTheGoodOnesOfABatch) {
  const auto answer = post("[" + entry(1) + ",7," + entry(2) + R"(,{"id":}])");
  EXPECT_EQ(answer.status, 400);
  const auto body = json::parse(answer.body);
  EXPECT_EQ(body.at("stored"), 2);
  EXPECT_EQ(body.at("invalid_count"), 2);
  EXPECT_EQ(body.at("invalid").at(0).at("index"), 1);
  EXPECT_EQ(body.at("invalid").at(1).at("index"), 3);
  EXPECT_TRUE(body.at("message").as_string().starts_with("entry 1: an entry is a JSON object, and this is a number"))
      << answer.body;
  EXPECT_EQ(get_json("/logs").at("data").as_array().size(), 2u);
  EXPECT_TRUE(answer.headers.contains("accept-post"));
}

TEST_F(LogService, RefusesWhatHoldsNoEntry) {
  EXPECT_EQ(post("").status, 400);
  EXPECT_EQ(post("hello").status, 400);
  EXPECT_EQ(post("a=b", "application/x-www-form-urlencoded").status, 400);
  const auto multipart = post("--x\r\n\r\n--x--", "multipart/form-data; boundary=x");
  EXPECT_EQ(multipart.status, 415);
  EXPECT_NE(multipart.body.find("application/x-ndjson"), std::string::npos);
  auto gzip = client_->ask("POST /logs HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(gzip->status, 415);
  EXPECT_EQ(get_json("/status").at("entries"), 0);
}

TEST_F(LogService, ReturnsEntriesAsTheyCame) {
  const std::string odd = R"({"id":1.50,"deep":[{"a":null}],"text":"\u00e4\n","n":1e3,"z":123456789012345678901234567890})";
  EXPECT_EQ(post(odd).status, 201);
  EXPECT_EQ(get("/logs").body, R"({"data":[)" + odd + R"(],"next":null})");
  EXPECT_EQ(get("/logs/1.5").body, odd);
}

TEST_F(LogService, FindsByAnyId) {
  post(R"([{"id":1753298422993.277,"entry_id":"0190163d-8694-739b-aea5-966c26f8ad91","request_id":"aabb"},{"a":1}])");
  for (const char* id : {"0190163d-8694-739b-aea5-966c26f8ad91", "1753298422993.277", "aabb",
                         "0190163D-8694-739B-AEA5-966C26F8AD91", "%61abb"}) {
    const auto answer = get(std::string("/logs/") + id);
    EXPECT_EQ(answer.status, 200) << id;
    EXPECT_EQ(json::parse(answer.body).at("request_id"), "aabb") << id;
  }
  const auto made = get_json("/logs?limit=1").at("data").at(0);
  EXPECT_EQ(get_json("/logs/" + std::string(made.at("entry_id").as_string().c_str())), made);
  const auto missing = get("/logs/none");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body, R"({"message":"Not found"})");
}

TEST_F(LogService, PagesStayStableWhileEntriesCome) {
  std::string body;
  for (int n = 1; n <= 25; ++n) body += entry(n) + "\n";
  post(body);
  std::string next = "/logs?limit=10";
  std::vector<std::int64_t> seen;
  int pages = 0;
  while (!next.empty()) {
    const auto page = get_json(next);
    for (const auto& one : page.at("data").as_array()) seen.push_back(one.at("id").as_int64());
    next = page.at("next").is_null() ? "" : page.at("next").as_string().c_str();
    post(entry(100 + pages++));  // Between two pages.
  }
  EXPECT_EQ(pages, 3);
  ASSERT_EQ(seen.size(), 25u);
  for (int n = 0; n < 25; ++n) EXPECT_EQ(seen[static_cast<std::size_t>(n)], 25 - n);
}

TEST_F(LogService, RefusesBadParameters) {
  for (const char* query : {"limit=0", "limit=1001", "limit=-1", "limit=abc", "limit=", "limit=1.5", "cursor=x",
                            "cursor=", "cursor=0"}) {
    const auto answer = get(std::string("/logs?") + query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_TRUE(answer.body.starts_with(R"({"message":")")) << query;
  }
  EXPECT_EQ(get("/logs?limit=1000").status, 200);
  EXPECT_EQ(get("/logs/stream?since=x").status, 400);
}

TEST_F(LogService, MethodsAndCors) {
  const auto options = client_->ask("OPTIONS /logs HTTP/1.1\r\nHost: h\r\nOrigin: http://example.com\r\n\r\n");
  EXPECT_EQ(options->status, 204);
  EXPECT_EQ(options->headers.at("access-control-allow-origin"), "*");
  EXPECT_EQ(options->headers.at("accept-post"), "application/json, application/x-ndjson");
  const auto removal = client_->ask("DELETE /logs HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(removal->status, 405);
  EXPECT_EQ(removal->headers.at("allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(client_->ask("PUT /status HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")->status, 405);
  post(entry(1));
  ASSERT_TRUE(client_->send("HEAD /logs HTTP/1.1\r\nHost: h\r\n\r\n"));
  const auto head = client_->read_answer(RawClient::Body::kNone);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  const auto whole = get("/logs");
  EXPECT_EQ(head->headers.at("content-length"), std::to_string(whole.body.size()));
  EXPECT_EQ(whole.headers.at("access-control-allow-origin"), "*");
}

TEST_F(LogService, PipelinedPosts) {
  std::string all;
  for (int n = 0; n < 500; ++n) {
    const auto body = entry(n);
    all += "POST /logs HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  std::thread sender([&] { EXPECT_TRUE(client_->send(all)); });
  for (int n = 0; n < 500; ++n) {
    const auto answer = client_->read_answer();
    ASSERT_TRUE(answer) << n;
    ASSERT_EQ(answer->body, R"({"stored":1,"duplicates":0})");
  }
  sender.join();
  EXPECT_EQ(get_json("/status").at("entries"), 500);
}

TEST_F(LogService, ManyClientsAtOnce) {
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&, c] {
      RawClient client(service_->port());
      for (int n = 0; n < 100; ++n) {
        // Every entry is sent by two clients: one of them stores it.
        const auto answer = client.post("/logs", entry(c / 2 * 100 + n));
        ASSERT_TRUE(answer);
        ASSERT_EQ(answer->status, 201);
      }
    });
  }
  for (auto& client : clients) client.join();
  const auto status = get_json("/status");
  EXPECT_EQ(status.at("entries"), 400);
  EXPECT_EQ(status.at("since_start").at("stored"), 400);
  EXPECT_EQ(status.at("since_start").at("duplicates"), 400);
}

TEST_F(LogService, BodyLimit) {
  options_.max_body_bytes = 1000;
  start();
  const auto answer = client_->post("/logs", std::string(1001, ' '));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_TRUE(answer->body.starts_with(R"({"message":")"));
}

TEST_F(LogService, RestartKeepsAll) {
  post(entry(1) + "\n" + entry(2));
  const auto before = get("/logs").body;
  start();
  EXPECT_EQ(get("/logs").body, before);
  EXPECT_EQ(post(entry(2)).body, R"({"stored":0,"duplicates":1})");
}

TEST_F(LogService, LimitsRemoveTheOldest) {
  options_.max_bytes = 400'000;
  start();
  std::string filler;
  for (int n = 0; n < 12'000; ++n) {
    std::string body;
    for (; body.size() < 200'000 && n < 12'000; ++n) {
      body += R"({"entry_id":"e)" + std::to_string(n) + R"(","x":")" + std::to_string(n * 7919LL * 104729LL) + "\"}\n";
    }
    ASSERT_EQ(post(body).status, 201);
  }
  // The writer looks after the answer: wait for what it did.
  json::value status;
  do {
    status = get_json("/status");
  } while (status.at("since_start").at("removed").as_int64() == 0);
  EXPECT_GT(status.at("oldest_seq").as_int64(), 1);
  EXPECT_EQ(get("/logs/e0").status, 404);
  EXPECT_EQ(get("/logs/e11999").status, 200);
}

TEST_F(LogService, Metrics) {
  post(entry(1) + "\n" + entry(1));
  const auto answer = get("/metrics");
  EXPECT_TRUE(answer.headers.at("content-type").starts_with("text/plain; version=0.0.4"));
  EXPECT_NE(answer.body.find("\ngibbon_logs_entries_stored_total 1\n"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("\ngibbon_logs_entries_duplicate_total 1\n"), std::string::npos);
}

TEST_F(LogService, SaysWhyItCannotStart) {
  auto second = Service::start(options_);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message.find("in use by another log service"), std::string::npos);
  options_.data_directory = "/proc/nowhere";
  second = Service::start(options_);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message.find("/proc/nowhere"), std::string::npos);
}

}  // namespace
}  // namespace gibbon::logs
