#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "http/server.hpp"
#include "raw_client.hpp"

namespace gibbon::http {
namespace {

using test::RawClient;
using namespace std::chrono_literals;

/// Hands over what handlers were given.
template <typename T>
class Box {
 public:
  void put(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    changed_.notify_all();
  }
  T take() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, 10s, [this] { return !values_.empty(); })) throw std::runtime_error("nothing came");
    T value = std::move(values_.front());
    values_.erase(values_.begin());
    return value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> values_;
};

std::unique_ptr<Server> serve(AsyncHandler handler, unsigned threads = 1) {
  ServerOptions options;
  options.listen = {Listen{}};
  options.threads = threads;
  auto server = Server::start_async(std::move(options), std::move(handler));
  EXPECT_TRUE(server.ok()) << server.error().message;
  return std::move(server).value();
}

const char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(Responder, AnswersLaterFromAnotherThread) {
  Box<Responder> box;
  auto server = serve([&](Request&, Responder responder) { box.put(std::move(responder)); });
  RawClient client(server->port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(kGet));
    auto responder = box.take();
    responder.send({200, {}, "later"});
    responder.send({500, {}, "never"});
    EXPECT_EQ(client.read_answer()->body, "later");
  }
}

TEST(Responder, KeepsPipelinedAnswersInOrder) {
  Box<std::pair<std::string, Responder>> box;
  auto server = serve([&](Request& request, Responder responder) {
    if (request.path == "/now") return responder.send({200, {}, "now"});
    box.put({request.path, std::move(responder)});
  });
  RawClient client(server->port());
  ASSERT_TRUE(client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /now HTTP/1.1\r\nHost: h\r\n\r\n"
                          "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"));
  for (const char* path : {"/1", "/2"}) {
    auto [got, responder] = box.take();
    EXPECT_EQ(got, path);
    responder.send({200, {}, got});
  }
  EXPECT_EQ(client.read_answer()->body, "/1");
  EXPECT_EQ(client.read_answer()->body, "now");
  EXPECT_EQ(client.read_answer()->body, "/2");
}

TEST(Responder, AnswersTheHalfClosed) {
  Box<Responder> box;
  auto server = serve([&](Request&, Responder responder) { box.put(std::move(responder)); });
  RawClient client(server->port());
  ASSERT_TRUE(client.send(kGet));
  client.shutdown_send();
  box.take().send({200, {}, "still"});
  EXPECT_EQ(client.read_answer()->body, "still");
  EXPECT_TRUE(client.closed_by_server());
}

TEST(Responder, ForgottenIsA500) {
  auto server = serve([](Request&, Responder) {});
  RawClient client(server->port());
  EXPECT_EQ(client.ask(kGet)->status, 500);
  EXPECT_EQ(client.ask(kGet)->status, 500);
}

TEST(Responder, ThrowingIsA500) {
  auto server = serve([](Request&, Responder) { throw std::runtime_error("broken on purpose"); });
  EXPECT_EQ(RawClient(server->port()).ask(kGet)->status, 500);
}

TEST(Responder, MayOutliveTheServer) {
  Box<Responder> box;
  auto server = serve([&](Request&, Responder responder) { box.put(std::move(responder)); });
  RawClient client(server->port());
  ASSERT_TRUE(client.send(kGet));
  auto responder = box.take();
  server->stop(0ms);
  server.reset();
  responder.send({200, {}, "to nobody"});
  EXPECT_TRUE(client.closed_by_server());
}

TEST(Responder, StopWaitsForTheAnswer) {
  Box<Responder> box;
  auto server = serve([&](Request&, Responder responder) { box.put(std::move(responder)); });
  RawClient client(server->port());
  ASSERT_TRUE(client.send(kGet));
  auto responder = box.take();
  std::thread stopper([&] { server->stop(10s); });
  while (RawClient(server->port()).connected()) std::this_thread::yield();
  responder.send({200, {}, "in time"});
  const auto answer = client.read_answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "in time");
  EXPECT_EQ(answer->headers.at("connection"), "close");
  client.close();
  stopper.join();
}

TEST(Stream, SendsChunksThenTheNextAnswer) {
  Box<std::shared_ptr<Stream>> box;
  auto server = serve([&](Request& request, Responder responder) {
    if (request.path == "/next") return responder.send({200, {}, "next"});
    box.put(responder.start({200, {{"Content-Type", "text/plain"}}, "first,"}));
  });
  RawClient client(server->port());
  ASSERT_TRUE(client.send(kGet));
  auto stream = box.take();
  const auto head = client.read_head();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->headers.at("transfer-encoding"), "chunked");
  EXPECT_EQ(client.read_chunk(), "first,");
  EXPECT_EQ(stream->write("second"), Push::kQueued);
  EXPECT_EQ(client.read_chunk(), "second");
  ASSERT_TRUE(client.send("GET /next HTTP/1.1\r\nHost: h\r\n\r\n"));
  stream->end();
  EXPECT_EQ(stream->write("late"), Push::kClosed);
  EXPECT_EQ(client.read_chunk(), "");
  EXPECT_EQ(client.read_answer()->body, "next");
}

TEST(Stream, EndsWithItsHandle) {
  Box<std::shared_ptr<Stream>> box;
  auto server = serve([&](Request&, Responder responder) { box.put(responder.start({200, {}, ""})); });
  RawClient client(server->port());
  ASSERT_TRUE(client.send(kGet));
  box.take().reset();
  EXPECT_EQ(client.read_answer()->body, "");
}

TEST(Stream, Http10EndsByClosing) {
  Box<std::shared_ptr<Stream>> box;
  auto server = serve([&](Request&, Responder responder) { box.put(responder.start({200, {}, "a"})); });
  RawClient client(server->port());
  ASSERT_TRUE(client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  auto stream = box.take();
  stream->write("b");
  stream->end();
  const auto head = client.read_head();
  ASSERT_TRUE(head);
  EXPECT_FALSE(head->headers.contains("transfer-encoding"));
  EXPECT_EQ(head->headers.at("connection"), "close");
  EXPECT_EQ(client.read_to_end(), "ab");
}

TEST(Stream, HeadHasNoStream) {
  Box<std::shared_ptr<Stream>> box;
  auto server = serve([&](Request& request, Responder responder) {
    if (request.method == "GET") return responder.send({200, {}, "next"});
    box.put(responder.start({200, {}, "a"}));
  });
  RawClient client(server->port());
  ASSERT_TRUE(client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"));
  ASSERT_TRUE(client.read_answer(RawClient::Body::kNone));
  EXPECT_EQ(box.take()->write("b"), Push::kClosed);
  EXPECT_EQ(client.ask(kGet)->body, "next");
}

TEST(Stream, TellsWhenTheClientIsGone) {
  Box<std::shared_ptr<Stream>> box;
  Box<int> gone;
  auto server = serve([&](Request&, Responder responder) {
    StreamOptions options;
    options.on_closed = [&] { gone.put(1); };
    box.put(responder.start({200, {}, ""}, std::move(options)));
  });
  RawClient client(server->port());
  ASSERT_TRUE(client.send(kGet));
  auto stream = box.take();
  ASSERT_TRUE(client.read_head());
  client.close();
  EXPECT_EQ(gone.take(), 1);
  EXPECT_EQ(stream->write("x"), Push::kClosed);
}

TEST(Stream, TellsWhenTheServerStops) {
  Box<std::shared_ptr<Stream>> box;
  Box<int> gone;
  auto server = serve([&](Request&, Responder responder) {
    StreamOptions options;
    options.on_closed = [&] { gone.put(1); };
    box.put(responder.start({200, {}, ""}, std::move(options)));
  });
  RawClient client(server->port());
  ASSERT_TRUE(client.send(kGet));
  auto stream = box.take();
  server->stop(10s);
  EXPECT_EQ(gone.take(), 1);
  server.reset();
  EXPECT_EQ(stream->write("x"), Push::kClosed);
}

TEST(Stream, BoundsWhatWaitsForASlowClient) {
  Box<std::shared_ptr<Stream>> box;
  Box<int> drained;
  auto server = serve([&](Request&, Responder responder) {
    StreamOptions options;
    options.max_waiting_bytes = 100'000;
    options.on_drained = [&] { drained.put(1); };
    box.put(responder.start({200, {}, ""}, std::move(options)));
  });
  RawClient client(server->port(), "127.0.0.1", 4096);
  ASSERT_TRUE(client.send(kGet));
  auto stream = box.take();
  std::size_t queued = 0;
  Push push;
  while ((push = stream->write(std::string(10'000, 's'))) == Push::kQueued) {
    queued += 10'000;
    ASSERT_LE(stream->waiting_bytes(), 100'000u);
    ASSERT_LT(queued, 100'000'000u);
  }
  EXPECT_EQ(push, Push::kFull);
  // The client reads on: there is room again, and nothing of what was queued is missing.
  ASSERT_TRUE(client.read_head());
  std::size_t read = 0;
  while (read < queued) {
    const auto chunk = client.read_chunk();
    ASSERT_TRUE(chunk);
    read += chunk->size();
  }
  EXPECT_EQ(read, queued);
  EXPECT_EQ(drained.take(), 1);
  EXPECT_EQ(stream->write("more"), Push::kQueued);
  EXPECT_EQ(client.read_chunk(), "more");
}

TEST(Stream, ManyWritersManyClients) {
  Box<std::shared_ptr<Stream>> box;
  auto server = serve([&](Request&, Responder responder) { box.put(responder.start({200, {}, ""})); }, 2);
  std::vector<std::unique_ptr<RawClient>> clients;
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<RawClient>(server->port()));
    ASSERT_TRUE(clients.back()->send(kGet));
    writers.emplace_back([stream = box.take()] {
      for (int n = 0; n < 500; ++n) {
        ASSERT_EQ(stream->write(std::to_string(n) + ";"), Push::kQueued);
      }
    });
  }
  std::string expected;
  for (int n = 0; n < 500; ++n) expected += std::to_string(n) + ";";
  for (auto& writer : writers) writer.join();
  writers.clear();  // The handles are gone with the threads: every stream ends.
  for (auto& client : clients) EXPECT_EQ(client->read_answer()->body, expected);
}

}  // namespace
}  // namespace gibbon::http
