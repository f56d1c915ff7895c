// The service as a process of its own, killed in the middle of its work.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "../http/raw_client.hpp"
#include "base/json.hpp"
#include "logs/logs.hpp"
#include "temporary_directory.hpp"

namespace gibbon::logs {
namespace {

using test::RawClient;

/// run() in a forked process; its port is read from its log.
class Process {
 public:
  Process(const std::string& directory, Durability durability) : log_file_(directory + "/logs.log") {
    Options options;
    options.listen = {http::Listen{}};
    options.data_directory = directory + "/data";
    options.log_file = log_file_;
    options.durability = durability;
    std::ofstream(log_file_, std::ios::trunc);
    pid_ = ::fork();
    if (pid_ == 0) ::_exit(run(options));
  }
  ~Process() {
    if (pid_ > 0) stop(SIGKILL);
  }
  /// 0 when the process ended before it listened.
  std::uint16_t port() {
    for (;;) {
      std::stringstream text;
      text << std::ifstream(log_file_).rdbuf();
      const auto log = text.str();
      const auto at = log.find("listens on http://127.0.0.1:");
      if (at != std::string::npos && log.find('\n', at) != std::string::npos) {
        return static_cast<std::uint16_t>(std::atoi(log.c_str() + at + 28));
      }
      int status;
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = -1;
        return 0;
      }
      std::this_thread::yield();
    }
  }
  int stop(int signal) {
    ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  std::string log_file_;
  pid_t pid_ = -1;
};

class Durable : public testing::TestWithParam<Durability> {};

TEST_P(Durable, KillLosesNothingThatWasAcknowledged) {
  test::TemporaryDirectory directory;
  std::set<std::string> acknowledged;
  int next = 0;
  for (int round = 0; round < 3; ++round) {
    Process process(directory.path(), GetParam());
    const auto port = process.port();
    ASSERT_NE(port, 0);
    std::atomic<int> answers{0};
    std::thread killer([&] {
      while (answers < 200) std::this_thread::yield();
      process.stop(SIGKILL);
    });
    RawClient client(port);
    for (;;) {
      std::string body;
      std::vector<std::string> ids;
      for (int i = 0; i < 5; ++i) {
        ids.push_back("e" + std::to_string(next++));
        body += R"({"entry_id":")" + ids.back() + R"(","text":")" + std::string(1000, 'x') + "\"}\n";
      }
      const auto answer = client.post("/logs", body, "application/x-ndjson");
      if (!answer) break;
      ASSERT_EQ(answer->status, 201);
      acknowledged.insert(ids.begin(), ids.end());
      ++answers;
    }
    killer.join();
  }
  ASSERT_GE(acknowledged.size(), 3000u);

  Process process(directory.path(), GetParam());
  const auto port = process.port();
  ASSERT_NE(port, 0);
  RawClient client(port);
  std::string target = "/logs?limit=1000";
  std::set<std::string> found;
  while (!target.empty()) {
    const auto answer = client.get(target);
    ASSERT_TRUE(answer);
    const auto page = json::parse(answer->body);
    for (const auto& entry : page.at("data").as_array()) {
      EXPECT_TRUE(found.insert(entry.at("entry_id").as_string().c_str()).second) << "twice";
    }
    target = page.at("next").is_null() ? "" : page.at("next").as_string().c_str();
  }
  for (const auto& id : acknowledged) ASSERT_TRUE(found.contains(id)) << id;
}

INSTANTIATE_TEST_SUITE_P(Modes, Durable, testing::Values(Durability::kNormal, Durability::kFull),
                         [](const auto& info) { return info.param == Durability::kFull ? "full" : "normal"; });

TEST(Run, EndsOnSigterm) {
  test::TemporaryDirectory directory;
  Process process(directory.path(), Durability::kNormal);
  const auto port = process.port();
  ASSERT_NE(port, 0);
  RawClient client(port), stream(port);
  EXPECT_EQ(client.post("/logs", R"({"id":1})")->status, 201);
  ASSERT_TRUE(stream.send("GET /logs/stream HTTP/1.1\r\nHost: h\r\n\r\n"));
  ASSERT_TRUE(stream.read_head());
  const int status = process.stop(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  std::stringstream log;
  log << std::ifstream(directory.path() + "/logs.log").rdbuf();
  EXPECT_NE(log.str().find("stopped"), std::string::npos) << log.str();
}

TEST(Run, SaysWhyItCannotStart) {
  test::TemporaryDirectory directory;
  Process first(directory.path(), Durability::kNormal);
  ASSERT_NE(first.port(), 0);
  Options options;
  options.listen = {http::Listen{}};
  options.data_directory = directory.path() + "/data";
  options.log_file = directory.path() + "/second.log";
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(run(options));
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
  std::stringstream log;
  log << std::ifstream(options.log_file).rdbuf();
  EXPECT_NE(log.str().find("in use by another log service"), std::string::npos) << log.str();
}

}  // namespace
}  // namespace gibbon::logs
