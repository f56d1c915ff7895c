#include "http/server.hpp"

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <thread>

#include "raw_client.hpp"

namespace gibbon::http {
namespace {

using test::RawClient;
using namespace std::chrono_literals;

ServerOptions local(std::uint64_t max_body = 1024 * 1024) {
  ServerOptions options;
  options.listen = {Listen{}};
  options.max_body_bytes = max_body;
  return options;
}

/// "METHOD target|body"
Response echo(const Request& request) {
  if (request.path == "/throw") throw std::runtime_error("broken on purpose");
  if (request.path == "/empty") return {204, {}, ""};
  if (request.path == "/large") return {200, {}, std::string(3'000'000, 'x')};
  if (request.path == "/split") return {200, {{"X-Text", "a\r\nX-Evil: b"}}, "ok"};
  return {200, {{"Content-Type", "text/plain"}}, request.method + " " + request.target + "|" + request.body};
}

std::unique_ptr<Server> serve(ServerOptions options = local(), Handler handler = echo) {
  auto server = Server::start(std::move(options), std::move(handler));
  EXPECT_TRUE(server.ok()) << server.error().message;
  return std::move(server).value();
}

TEST(Server, AnswersWithTheUsualHeaders) {
  auto server = serve();
  RawClient client(server->port());
  const auto answer = client.get("/a?b=c");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "GET /a?b=c|");
  EXPECT_EQ(answer->headers.at("content-type"), "text/plain");
  EXPECT_EQ(answer->headers.at("connection"), "keep-alive");
  EXPECT_EQ(answer->headers.at("server"), "gibbon/" GIBBON_VERSION);
  EXPECT_EQ(answer->headers.at("date").size(), 29u);
}

TEST(Server, SplitsTheTarget) {
  const struct {
    const char* target;
    const char* path;
    const char* query;
  } cases[] = {{"/a?b=c", "/a", "b=c"},          {"/a?", "/a", ""},        {"/a%2Fb", "/a%2Fb", ""},
               {"http://h:1/x?y", "/x", "y"},    {"http://h", "/", ""},    {"http://h?q", "/", "q"},
               {"*", "*", ""},                   {"/a?b?c", "/a", "b?c"}};
  auto server = serve(local(), [](const Request& request) {
    return Response{200, {}, request.path + " " + request.query + " " + request.client.substr(0, 10)};
  });
  RawClient client(server->port());
  for (const auto& [target, path, query] : cases) {
    const auto answer = client.get(target);
    ASSERT_TRUE(answer) << target;
    EXPECT_EQ(answer->body, std::string(path) + " " + query + " 127.0.0.1:") << target;
  }
}

TEST(Server, KeepsConnectionsAlive) {
  auto server = serve();
  RawClient client(server->port());
  for (int i = 0; i < 100; ++i) {
    const auto answer = client.post("/" + std::to_string(i), "body " + std::to_string(i));
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->body, "POST /" + std::to_string(i) + "|body " + std::to_string(i));
  }
  EXPECT_EQ(server->stats().accepted, 1u);
  EXPECT_EQ(server->stats().requests, 100u);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  auto server = serve();
  RawClient client(server->port());
  std::string all;
  for (int i = 0; i < 2000; ++i) {
    const std::string body(static_cast<std::size_t>(i % 97), 'b');
    all += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  std::thread sender([&] { EXPECT_TRUE(client.send(all)); });
  for (int i = 0; i < 2000; ++i) {
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer) << i;
    ASSERT_EQ(answer->body, "POST /" + std::to_string(i) + "|" + std::string(static_cast<std::size_t>(i % 97), 'b'));
  }
  sender.join();
}

TEST(Server, WaitsForAClientThatPipelinesWithoutReading) {
  auto server = serve();
  RawClient client(server->port());
  std::string all;
  for (int i = 0; i < 20; ++i) all += "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
  ASSERT_TRUE(client.send(all));
  ASSERT_TRUE(client.read_exactly(1));  // All requests have arrived at least in part.
  EXPECT_LT(server->stats().requests, 20u);
  std::size_t answers = 0, bytes = 1;
  while (answers < 19) {
    const auto head = client.read_until("\r\n\r\n");
    ASSERT_TRUE(head);
    const auto body = client.read_exactly(3'000'000);
    ASSERT_TRUE(body);
    bytes += body->size();
    ++answers;
  }
  EXPECT_EQ(bytes, 19u * 3'000'000 + 1);
}

TEST(Server, TakesRequestsByteByByte) {
  auto server = serve();
  RawClient client(server->port());
  for (const char c : std::string("\r\nPOST /slow HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n")) {
    ASSERT_TRUE(client.send(std::string(1, c)));
  }
  const auto answer = client.read_answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "POST /slow|abcde");
}

TEST(Server, HeadHasNoBody) {
  auto server = serve();
  RawClient client(server->port());
  ASSERT_TRUE(client.send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n"));
  const auto head = client.read_answer(RawClient::Body::kNone);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->headers.at("content-length"), "8");
  EXPECT_EQ(client.get("/next")->body, "GET /next|");
}

TEST(Server, NoContentHasNoLength) {
  auto server = serve();
  RawClient client(server->port());
  const auto answer = client.get("/empty");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 204);
  EXPECT_FALSE(answer->headers.contains("content-length"));
  EXPECT_EQ(client.get("/next")->body, "GET /next|");
}

TEST(Server, HeaderValuesCannotBreakOut) {
  auto server = serve();
  const auto answer = RawClient(server->port()).get("/split");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->headers.at("x-text"), "a  X-Evil: b");
  EXPECT_FALSE(answer->headers.contains("x-evil"));
}

TEST(Server, AThrowingHandlerIsA500) {
  auto server = serve();
  RawClient client(server->port());
  const auto answer = client.get("/throw");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->body, R"({"message":"An unexpected error occurred"})");
  EXPECT_EQ(client.get("/next")->status, 200);
}

TEST(Server, Http10) {
  auto server = serve();
  {
    RawClient client(server->port());
    const auto answer = client.ask("GET /a HTTP/1.0\r\n\r\n");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->headers.at("connection"), "close");
    EXPECT_TRUE(client.closed_by_server());
  }
  RawClient client(server->port());
  EXPECT_EQ(client.ask("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->headers.at("connection"), "keep-alive");
  EXPECT_EQ(client.get("/next")->status, 200);
}

TEST(Server, ClosesWhenAsked) {
  auto server = serve();
  RawClient client(server->port());
  const auto answer = client.ask("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->headers.at("connection"), "close");
  EXPECT_TRUE(client.closed_by_server());
}

TEST(Server, AnswersAClientThatHasClosedItsSide) {
  auto server = serve();
  RawClient client(server->port());
  ASSERT_TRUE(client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n"));
  client.shutdown_send();
  const auto answer = client.read_answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body.size(), 3'000'000u);
  EXPECT_TRUE(client.closed_by_server());
}

TEST(Server, Expect100Continue) {
  auto server = serve();
  RawClient client(server->port());
  ASSERT_TRUE(client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.ask("abc")->body, "POST /a|abc");
  EXPECT_EQ(client.get("/next")->body, "GET /next|");
}

TEST(Server, RefusesWhatIsMalformed) {
  const std::string long_header(70'000, 'h');
  const struct {
    std::string bytes;
    int status;
    const char* says;
  } cases[] = {
      {"nonsense\r\n\r\n", 400, "Bad request"},
      {"GET  /two HTTP/1.1\r\n\r\n", 400, "Bad request"},
      {"GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 400, "Bad request"},
      {"GET / HTTP/1.1\r\n\r\n", 400, "no Host"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "more than one Host"},
      {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505, "HTTP/1.1"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400, "Bad request"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "Bad request"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "Bad request"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "chunked"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "Bad request"},
      {"GET / HTTP/1.1\r\nHost: h\r\nExpect: a-miracle\r\n\r\n", 417, "100-continue"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", 413, "at most 1000 bytes"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x'), 413,
       "at most 1000 bytes"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: " + long_header + "\r\n\r\n", 431, "at most 65536 bytes"},
      {"GET /" + long_header + " HTTP/1.1\r\nHost: h\r\n\r\n", 431, "at most 65536 bytes"},
  };
  auto server = serve(local(1000));
  for (const auto& [bytes, status, says] : cases) {
    RawClient client(server->port());
    const auto answer = client.ask(bytes);
    ASSERT_TRUE(answer) << bytes.substr(0, 80);
    EXPECT_EQ(answer->status, status) << bytes.substr(0, 80) << answer->body;
    EXPECT_EQ(answer->headers.at("content-type"), "application/json; charset=utf-8");
    EXPECT_TRUE(answer->body.starts_with(R"({"message":")")) << answer->body;
    EXPECT_NE(answer->body.find(says), std::string::npos) << answer->body;
    EXPECT_EQ(answer->headers.at("connection"), "close");
    EXPECT_TRUE(client.closed_by_server()) << bytes.substr(0, 80);
  }
  EXPECT_EQ(server->stats().requests, 0u);
  EXPECT_EQ(server->stats().refused, std::size(cases));
}

TEST(Server, ManySmallHeadersCountTogether) {
  auto server = serve();
  RawClient client(server->port());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: h\r\n"));
  const std::string header = "X-Header: " + std::string(1000, 'v') + "\r\n";
  for (int i = 0; i < 80; ++i) {
    if (!client.send(header)) break;
  }
  EXPECT_EQ(client.read_answer()->status, 431);
}

TEST(Server, ARefusedBodyDoesNotHideTheAnswer) {
  auto server = serve(local(1000));
  RawClient client(server->port());
  const std::string body(5'000'000, 'x');
  std::thread sender([&] {
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  });
  const auto answer = client.read_answer();
  sender.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
}

TEST(Server, Timeouts) {
  auto options = local();
  options.idle_timeout = 50ms;
  options.read_timeout = 50ms;
  auto server = serve(options);
  RawClient idle(server->port());
  EXPECT_TRUE(idle.closed_by_server());
  RawClient after_one(server->port());
  EXPECT_EQ(after_one.get("/")->status, 200);
  EXPECT_TRUE(after_one.closed_by_server());
  RawClient partial(server->port());
  EXPECT_EQ(partial.ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab")->status, 408);
  EXPECT_TRUE(partial.closed_by_server());
}

TEST(Server, AClientThatDoesNotReadIsLeft) {
  auto options = local();
  options.write_timeout = 50ms;
  auto server = serve(options);
  RawClient client(server->port(), "127.0.0.1", 4096);
  std::string all;
  for (int i = 0; i < 8; ++i) all += "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
  ASSERT_TRUE(client.send(all));
  while (server->stats().accepted == 0 || server->stats().connections > 0) std::this_thread::yield();
  EXPECT_LT(server->stats().requests, 8u);
}

TEST(Server, TooManyConnections) {
  auto options = local();
  options.max_connections = 2;
  auto server = serve(options);
  auto first = std::make_unique<RawClient>(server->port());
  RawClient second(server->port());
  EXPECT_EQ(first->get("/")->status, 200);
  EXPECT_EQ(second.get("/")->status, 200);
  RawClient third(server->port());
  const auto answer = third.get("/");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_TRUE(third.closed_by_server());
  third.close();
  first->close();
  while (server->stats().connections > 1) std::this_thread::yield();
  EXPECT_EQ(RawClient(server->port()).get("/")->status, 200);
}

TEST(Server, SeveralAddresses) {
  auto options = local();
  options.listen = {Listen{"127.0.0.1", 0}, Listen{"::1", 0}, Listen{"127.0.0.2", 0}};
  auto server = serve(options);
  ASSERT_EQ(server->listening().size(), 3u);
  for (const auto& listen : server->listening()) {
    ASSERT_NE(listen.port, 0);
    RawClient client(listen.port, listen.host.c_str());
    EXPECT_EQ(client.get("/")->status, 200) << listen.host;
  }
}

TEST(Server, SaysWhyItCannotListen) {
  auto server = serve();
  auto options = local();
  options.listen[0].port = server->port();
  auto second = Server::start(options, echo);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().message,
            "listen on 127.0.0.1:" + std::to_string(server->port()) + ": bind: Address already in use");
  EXPECT_FALSE(Server::start(ServerOptions{}, echo).ok());
}

TEST(Server, SeveralThreadsServeAtOnce) {
  auto options = local();
  options.threads = 2;
  std::promise<void> first_here;
  std::promise<void> second_here;
  auto server = serve(options, [&](const Request& request) {
    // Each waits for the other: only two threads can answer both.
    auto& mine = request.path == "/1" ? first_here : second_here;
    auto& other = request.path == "/1" ? second_here : first_here;
    mine.set_value();
    const bool met = other.get_future().wait_for(10s) == std::future_status::ready;
    return Response{met ? 200 : 500, {}, ""};
  });
  RawClient a(server->port()), b(server->port());
  ASSERT_TRUE(a.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"));
  ASSERT_TRUE(b.send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_EQ(a.read_answer()->status, 200);
  EXPECT_EQ(b.read_answer()->status, 200);
}

TEST(Server, StopLetsRequestsFinish) {
  std::promise<void> entered, leave;
  auto left = leave.get_future().share();
  auto server = serve(local(), [&](const Request&) {
    entered.set_value();
    left.wait();
    return Response{200, {}, "done"};
  });
  RawClient busy(server->port()), idle(server->port());
  const auto port = server->port();
  ASSERT_TRUE(busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  entered.get_future().wait();
  std::thread stopper([&] { server->stop(10s); });
  leave.set_value();
  const auto answer = busy.read_answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "done");
  EXPECT_TRUE(idle.closed_by_server());
  busy.close();
  stopper.join();
  EXPECT_FALSE(RawClient(port).connected());
  server->stop();
}

}  // namespace
}  // namespace gibbon::http
