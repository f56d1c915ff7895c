// Server-sent events of the log service.
#include <gtest/gtest.h>

#include "../http/raw_client.hpp"
#include "base/json.hpp"
#include "logs/service.hpp"
#include "temporary_directory.hpp"

namespace gibbon::logs {
namespace {

using test::RawClient;

/// Reads events out of a chunked answer.
class Events {
 public:
  explicit Events(std::uint16_t port, std::string_view target = "/logs/stream", std::string_view headers = "",
                  int receive_buffer = 0)
      : client_(port, "127.0.0.1", receive_buffer) {
    client_.send("GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n");
  }
  bool open() {
    head_ = client_.read_head();
    return head_ && head_->status == 200 && next() == ": entries follow\n\n";
  }
  /// One event with its empty line; nothing when the stream ended.
  std::optional<std::string> next() {
    std::size_t end;
    while ((end = text_.find("\n\n")) == std::string::npos) {
      auto chunk = client_.read_chunk();
      if (!chunk || chunk->empty()) return std::nullopt;
      text_ += *chunk;
    }
    std::string event = text_.substr(0, end + 2);
    text_.erase(0, end + 2);
    return event;
  }
  std::optional<test::Answer> head_;
  RawClient client_;

 private:
  std::string text_;
};

class LogStream : public testing::Test {
 protected:
  void SetUp() override {
    Options options;
    options.listen = {http::Listen{}};
    options.data_directory = directory_.path();
    auto service = Service::start(options);
    ASSERT_TRUE(service.ok()) << service.error().message;
    service_ = std::move(service).value();
  }
  static std::string entry(int n, std::size_t padding = 0) {
    // Not compressible by much, so that what a test counts on to be large is large on the wire too.
    return R"({"entry_id":"e)" + std::to_string(n) + R"(","x":")" + std::string(padding, 'x') + "\"}";
  }
  void post(int from, int to, std::size_t padding = 0) {
    std::string body;
    for (int n = from; n < to; ++n) body += entry(n, padding) + "\n";
    RawClient client(service_->port());
    const auto answer = client.post("/logs", body, "application/x-ndjson");
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 201);
  }
  static std::string event(int seq, int n) {
    return "id: " + std::to_string(seq) + "\nevent: entry\ndata: " + entry(n) + "\n\n";
  }

  test::TemporaryDirectory directory_;
  std::unique_ptr<Service> service_;
};

TEST_F(LogStream, SendsWhatComes) {
  post(0, 3);
  Events events(service_->port());
  ASSERT_TRUE(events.open());
  EXPECT_EQ(events.head_->headers.at("content-type"), "text/event-stream; charset=utf-8");
  EXPECT_EQ(events.head_->headers.at("cache-control"), "no-cache");
  post(3, 4);
  EXPECT_EQ(events.next(), event(4, 3));
  post(3, 6);  // The first is a repeat, which is no news.
  EXPECT_EQ(events.next(), event(5, 4));
  EXPECT_EQ(events.next(), event(6, 5));
}

TEST_F(LogStream, ResumesBehindWhatTheClientHas) {
  post(0, 5);
  Events since(service_->port(), "/logs/stream?since=3");
  ASSERT_TRUE(since.open());
  EXPECT_EQ(since.next(), event(4, 3));
  EXPECT_EQ(since.next(), event(5, 4));
  Events last(service_->port(), "/logs/stream?since=0", "Last-Event-ID: 4\r\n");
  ASSERT_TRUE(last.open());
  EXPECT_EQ(last.next(), event(5, 4));
  post(5, 6);
  EXPECT_EQ(last.next(), event(6, 5));
  EXPECT_EQ(since.next(), event(6, 5));
  Events future(service_->port(), "/logs/stream?since=99");
  ASSERT_TRUE(future.open());
  post(6, 7);
  EXPECT_EQ(future.next(), event(7, 6));
}

TEST_F(LogStream, ResumesOverMoreThanALiveClientMayMiss) {
  for (int n = 0; n < 3000; n += 500) post(n, n + 500, 100);
  Events events(service_->port(), "/logs/stream?since=0");
  ASSERT_TRUE(events.open());
  for (int n = 0; n < 3000; ++n) {
    const auto one = events.next();
    ASSERT_TRUE(one) << n;
    ASSERT_TRUE(one->starts_with("id: " + std::to_string(n + 1) + "\nevent: entry\n")) << *one;
  }
}

TEST_F(LogStream, ASlowClientLearnsWhatItMissed) {
  Events slow(service_->port(), "/logs/stream", "", 4096);
  Events quick(service_->port());
  ASSERT_TRUE(slow.open());
  ASSERT_TRUE(quick.open());
  constexpr int kEntries = 8000;
  std::size_t quick_got = 0;
  for (int n = 0; n < kEntries; n += 100) {
    post(n, n + 100, 3000);
    for (int i = 0; i < 100; ++i, ++quick_got) {
      const auto one = quick.next();
      ASSERT_TRUE(one && one->starts_with("id: " + std::to_string(n + i + 1) + "\n"));
    }
  }
  EXPECT_EQ(quick_got, static_cast<std::size_t>(kEntries));
  // The slow one reads now: what it gets and what it is told it missed are all, in order.
  std::uint64_t position = 0, skipped = 0;
  while (position < kEntries) {
    const auto one = slow.next();
    ASSERT_TRUE(one) << position;
    if (one->starts_with("event: skipped\ndata: ")) {
      const auto count = json::parse(one->substr(21)).at("count").as_int64();
      ASSERT_GT(count, 0);
      position += static_cast<std::uint64_t>(count);
      skipped += static_cast<std::uint64_t>(count);
    } else {
      ASSERT_TRUE(one->starts_with("id: " + std::to_string(++position) + "\n")) << one->substr(0, 40);
    }
  }
  EXPECT_EQ(position, static_cast<std::uint64_t>(kEntries));
  EXPECT_GT(skipped, 0u);
}

TEST_F(LogStream, ForgetsClientsThatLeft) {
  const auto streams = [&] {
    return json::parse(RawClient(service_->port()).get("/status")->body).at("streams").as_int64();
  };
  {
    Events events(service_->port());
    ASSERT_TRUE(events.open());
    EXPECT_EQ(streams(), 1);
  }
  while (streams() > 0) std::this_thread::yield();
  post(0, 1);
}

TEST_F(LogStream, EndsWhenTheServiceStops) {
  Events events(service_->port());
  ASSERT_TRUE(events.open());
  service_.reset();
  EXPECT_EQ(events.next(), std::nullopt);
}

}  // namespace
}  // namespace gibbon::logs
