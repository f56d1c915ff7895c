#include "gateway/client/response_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace gibbon::gateway::client {
namespace {

using State = ResponseParser::State;
using Kind = WaitError::Kind;
using testing::ElementsAre;
using testing::Pair;

constexpr std::size_t kRoom = 1000;

struct Case {
  std::string bytes;
  int status;
  std::string body;
  bool kept;
  std::string method = "GET";
};

const std::vector<Case>& complete_cases() {
  static const std::vector<Case> cases = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true},
      {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 200, "hello", true},
      {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, "", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\ncontent-length:3\r\n\r\nabc", 200, "abc", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: foo, Close\r\n\r\nok", 200, "ok", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok", 200, "ok", true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX: y\r\n\r\n", 200,
       "hello world", true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n00A\r\n0123456789\r\n0\r\n\r\n", 200, "0123456789", true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n1\r\na\r\n0\r\n\r\n", 200, "a", false},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: "
       "1\r\n\r\nz",
       201, "z", true},
      {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", 304, "", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", 200, "", true, "HEAD"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "", true, "HEAD"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and more", 200, "ok", false},
  };
  return cases;
}

TEST(ResponseParser, TakesWholeAnswers) {
  for (const Case& c : complete_cases()) {
    ResponseParser parser(c.method, kRoom);
    ASSERT_EQ(parser.feed(c.bytes), State::kComplete) << c.bytes << parser.failure();
    EXPECT_EQ(parser.response().status, c.status) << c.bytes;
    EXPECT_EQ(parser.response().body, c.body) << c.bytes;
    EXPECT_EQ(parser.can_be_kept(), c.kept) << c.bytes;
  }
}

TEST(ResponseParser, TakesAnswersByteByByte) {
  for (const Case& c : complete_cases()) {
    ResponseParser parser(c.method, kRoom);
    EXPECT_FALSE(parser.has_begun());
    State state = State::kIncomplete;
    for (const char byte : c.bytes) state = parser.feed({&byte, 1});
    ASSERT_EQ(state, State::kComplete) << c.bytes << parser.failure();
    EXPECT_TRUE(parser.has_begun());
    EXPECT_EQ(parser.response().body, c.body) << c.bytes;
    EXPECT_EQ(parser.can_be_kept(), c.kept) << c.bytes;
  }
}

TEST(ResponseParser, WhatIsCutOffIsAFailure) {
  for (const Case& c : complete_cases()) {
    const std::string whole = c.bytes.substr(0, c.bytes.find(", and more"));
    for (std::size_t n = 0; n + 1 < whole.size(); ++n) {
      ResponseParser parser(c.method, kRoom);
      if (parser.feed(whole.substr(0, n)) == State::kComplete) break;
      ASSERT_EQ(parser.end(), State::kFailed) << whole.substr(0, n);
      EXPECT_EQ(parser.failure_kind(), Kind::kConnection);
    }
  }
}

TEST(ResponseParser, TheEndOfTheConnectionEndsABodyWithoutLength) {
  ResponseParser parser("GET", kRoom);
  EXPECT_EQ(parser.feed("HTTP/1.1 200 OK\r\n\r\nall "), State::kIncomplete);
  EXPECT_EQ(parser.feed("of it"), State::kIncomplete);
  EXPECT_EQ(parser.end(), State::kComplete);
  EXPECT_EQ(parser.response().body, "all of it");
  EXPECT_FALSE(parser.can_be_kept());
}

TEST(ResponseParser, KeepsHeadersInTheirOrder) {
  ResponseParser parser("GET", kRoom);
  ASSERT_EQ(parser.feed("HTTP/1.1 200 OK\r\nB:  one \r\nA:\r\nB: two\r\n three\r\nContent-Length: 0\r\n\r\n"), State::kComplete);
  EXPECT_THAT(parser.response().headers,
              ElementsAre(Pair("B", "one"), Pair("A", ""), Pair("B", "two three"), Pair("Content-Length", "0")));
  EXPECT_EQ(parser.response().header("b"), "one");
}

TEST(ResponseParser, RefusesGarbage) {
  for (const std::string& bytes : {
           std::string("\r\n"), std::string("hello\r\n"), std::string("HTTP/2 200\r\n"), std::string("HTTP/1.1 20 OK\r\n"),
           std::string("HTTP/1.1 2000 OK\r\n"), std::string("HTTP/1.1 099 OK\r\n"), std::string("HTTP/1.1  200 OK\r\n"),
           std::string("HTTP/1.1 101 Switching\r\n\r\n"), std::string("HTTP/1.1 200 OK\r\n folded\r\n"),
           std::string("HTTP/1.1 200 OK\r\nno colon\r\n"), std::string("HTTP/1.1 200 OK\r\n: x\r\n"),
           std::string("HTTP/1.1 200 OK\r\nA : x\r\n"), std::string("HTTP/1.1 200 OK\r\nA: x\0y\r\n", 25),
           std::string("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), std::string("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"),
           std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"),
           std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"),
           std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"),
       }) {
    ResponseParser parser("GET", kRoom);
    EXPECT_EQ(parser.feed(bytes), State::kFailed) << bytes;
    EXPECT_EQ(parser.failure_kind(), Kind::kProtocol) << bytes;
    EXPECT_FALSE(parser.failure().empty()) << bytes;
    EXPECT_EQ(parser.feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), State::kFailed) << bytes;
  }
}

TEST(ResponseParser, BodiesHaveALimit) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  struct {
    std::string fits, exceeds;
  } const cases[] = {
      {"Content-Length: 4\r\n\r\nabcd", "Content-Length: 5\r\n\r\n"},
      {"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\n"},
      {"\r\nabcd", "\r\nabcde"},
  };
  for (const auto& c : cases) {
    ResponseParser fits("GET", 4), exceeds("GET", 4);
    if (fits.feed(head + c.fits) == State::kIncomplete) fits.end();
    EXPECT_EQ(fits.response().body, "abcd");
    EXPECT_EQ(exceeds.feed(head + c.exceeds), State::kFailed);
    EXPECT_EQ(exceeds.failure_kind(), Kind::kTooLarge);
  }
}

TEST(ResponseParser, HeadsHaveALimit) {
  const std::string filler(1000, 'x');
  const std::string starts[] = {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"};
  for (const std::string& start : starts) {
    for (const std::string& line : {filler, "A: " + filler + "\r\n"}) {
      ResponseParser parser("GET", kRoom);
      State state = parser.feed(start);
      for (std::size_t sent = 0; state == State::kIncomplete && sent <= ResponseParser::kMostHeadBytes; sent += line.size())
        state = parser.feed(line);
      EXPECT_EQ(state, State::kFailed);
    }
  }
  ResponseParser endless("GET", kRoom);
  State state = State::kIncomplete;
  for (int i = 0; i < 10000 && state == State::kIncomplete; ++i) state = endless.feed("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(state, State::kFailed);
  EXPECT_EQ(endless.failure_kind(), Kind::kTooLarge);
}

/// Whole answers with random bytes changed: whatever comes of it, it is an end or a wish for more, within the limits.
TEST(ResponseParser, StandsWhateverComes) {
  std::mt19937 random(20240607);
  const auto& cases = complete_cases();
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = cases[random() % cases.size()].bytes;
    for (unsigned changes = random() % 4; changes > 0; --changes) bytes[random() % bytes.size()] = static_cast<char>(random());
    ResponseParser parser("GET", 16);
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t n = 1 + random() % 20;
      parser.feed(std::string_view(bytes).substr(at, n));
      at += n;
    }
    EXPECT_NE(parser.end(), State::kIncomplete);
    EXPECT_LE(parser.response().body.size(), 16U);
  }
}

HttpRequest request(std::string method, HeaderList headers = {}, std::string body = {}) {
  return {.url = {}, .method = std::move(method), .headers = std::move(headers), .body = std::move(body)};
}

TEST(RequestBytes, HasTheGatewaysOwnHeaders) {
  const Url url = *Url::parse("http://joe:x@a.test:8080/p?q");
  EXPECT_EQ(request_bytes(request("GET", {{"A", "1"}, {"Host", "other"}, {"connection", "close"}, {"Content-Length", "7"},
                                          {"Transfer-Encoding", "chunked"}}),
                          url),
            "GET /p?q HTTP/1.1\r\nHost: a.test:8080\r\nA: 1\r\nAuthorization: Basic am9lOng=\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(request_bytes(request("POST", {{"authorization", "mine"}}, "body"), url),
            "POST /p?q HTTP/1.1\r\nHost: a.test:8080\r\nauthorization: mine\r\nContent-Length: 4\r\nConnection: "
            "keep-alive\r\n\r\nbody");
  EXPECT_EQ(request_bytes(request("PUT"), *Url::parse("http://a.test")),
            "PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

TEST(RequestBytes, RefusesWhatWouldBreakTheMessage) {
  const Url url = *Url::parse("http://a.test");
  EXPECT_THROW(request_bytes(request("GET / HTTP/1.1\r\nX:"), url), WaitError);
  EXPECT_THROW(request_bytes(request(""), url), WaitError);
  EXPECT_THROW(request_bytes(request("GET", {{"A", "b\r\nC: d"}}), url), WaitError);
  EXPECT_THROW(request_bytes(request("GET", {{"A: b\r\nC", "d"}}), url), WaitError);
  EXPECT_THROW(request_bytes(request("GET", {{"", "d"}}), url), WaitError);
}

}  // namespace
}  // namespace gibbon::gateway::client
