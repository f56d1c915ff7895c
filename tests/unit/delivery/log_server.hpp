#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gibbon::testing {

/// What the server got in one request.
struct ReceivedRequest {
  std::string content_type, idempotency_key, user_agent, authorization, body;
  std::vector<std::string> entries;  ///< Its JSON objects, as text.
};

/// A log API on a loopback port that does what the test wants: answer, refuse, hang, break off, be away.
/// What it answers with 2xx counts as received. Threads: the functions may be called from any.
class LogServer {
 public:
  struct Reply {
    enum class Act { kAnswer, kHang, kReset } act = Act::kAnswer;
    int status = 201;
    bool accepts_ndjson = false;
    std::string retry_after;
    int delay_ms = 0;
  };
  using Script = std::function<Reply(const ReceivedRequest&)>;

  /// Begins to listen on a free port.
  LogServer();
  ~LogServer();
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/logs"; }
  /// What to do with each request from now on. Requests that hang are let go, without an answer.
  void script(Script script);
  /// Stops listening and breaks all connections; start() listens on the same port again.
  void stop();
  void start();

  /// entry_id and how often it came.
  std::map<std::string, int> received();
  std::size_t distinct();
  std::vector<ReceivedRequest> requests();
  std::uint64_t attempts() const { return attempts_; }
  std::uint64_t connections() const { return connections_; }
  std::uint64_t most_connections() const { return most_connections_; }

 private:
  struct Connection {
    int fd;
    std::thread thread;
  };
  void accept_loop(int listener);
  void serve(int fd);

  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> running_{false};
  std::thread acceptor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t script_number_ = 0;
  Script script_;
  std::list<Connection> connections_list_;
  std::map<std::string, int> received_;
  std::vector<ReceivedRequest> requests_;
  std::atomic<std::uint64_t> attempts_{0}, connections_{0}, most_connections_{0}, open_{0};
};

}  // namespace gibbon::testing
