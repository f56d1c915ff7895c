#include "app/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/account.hpp"
#include "app/certificates.hpp"
#include "app/child.hpp"
#include "app/probe.hpp"

namespace gibbon::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ProcessTest : public testing::Test {
 protected:
  ProcessTest() {
    std::string folder = testing::TempDir() + "process-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
  }
  ~ProcessTest() override { std::filesystem::remove_all(folder_); }
  Child::Program program(const std::string& script) {
    return {.name = "sleeper",
            .command = {"/bin/sh", "-c", script, folder_},
            .pid_file = folder_ + "/sleeper.pid",
            .log = folder_ + "/sleeper.log",
            .mark = folder_};
  }
  std::string folder_;
};

TEST_F(ProcessTest, RunGivesOutputAndExitCode) {
  const auto output = run({"/bin/sh", "-c", "echo out; echo err >&2; exit 3"});
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->exit_code, 3);
  EXPECT_EQ(output->text, "out\nerr\n");
  EXPECT_EQ(run({"/bin/sh", "-c", "kill -9 $$"})->exit_code, 128 + 9);
  EXPECT_THAT(run({"/no/such/program"}).error().message, HasSubstr("/no/such/program: No such file"));
}

TEST_F(ProcessTest, AChildIsStartedKnownAgainAndEnded) {
  Child child(program("echo up; trap 'exit 7' TERM; while :; do read x </dev/null; sleep 0.01; done"));
  ASSERT_TRUE(child.start().ok());
  EXPECT_TRUE(child.check());
  ASSERT_TRUE(wait_until([&] { return last_lines(child.program().log, 1) == "up"; }, 10s));

  Child another(child.program());
  EXPECT_TRUE(another.adopt());
  EXPECT_EQ(another.pid(), child.pid());

  another.signal(SIGTERM);
  EXPECT_TRUE(wait_until([&] { return !child.check(); }, 10s));
  EXPECT_EQ(child.ending(), "exited with status 7");
  EXPECT_FALSE(another.check());
  Child late(child.program());
  EXPECT_FALSE(late.adopt());
}

TEST_F(ProcessTest, AStrangersPidIsNotOurs) {
  ASSERT_TRUE(write_pid(folder_ + "/sleeper.pid", ::getpid()).ok());
  EXPECT_EQ(read_pid(folder_ + "/sleeper.pid"), ::getpid());
  EXPECT_FALSE(running_pid(folder_ + "/sleeper.pid", folder_));
  std::ofstream(folder_ + "/empty.pid").flush();
  EXPECT_FALSE(read_pid(folder_ + "/empty.pid"));
}

TEST_F(ProcessTest, AChildThatKeepsEndingIsStartedEverLater) {
  Child child(program("exit 1"));
  std::vector<Child::Clock::duration> delays;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(child.start().ok());
    ASSERT_TRUE(wait_until([&] { return !child.check(); }, 10s));
    delays.push_back(child.restart_at() - child.ended_at());
  }
  EXPECT_THAT(delays, testing::ElementsAre(0ms, 100ms, 200ms, 400ms));
}

TEST_F(ProcessTest, AProcessIsKnownByAnyWordOfItsCommandLine) {
  // nginx's workers write theirs anew: one text without zeros between the words.
  Child::Program renamed = program("echo up; while :; do read x </dev/null; sleep 0.01; done");
  renamed.command = {"/bin/sh", "-c", renamed.command[2], "worker process"};
  Child child(renamed);
  ASSERT_TRUE(child.start().ok());
  ASSERT_TRUE(wait_until([&] { return last_lines(renamed.log, 1) == "up"; }, 10s));
  EXPECT_TRUE(is_running(child.pid(), "/bin/sh -c"));
  EXPECT_TRUE(is_running(child.pid(), "worker process"));
  EXPECT_FALSE(is_running(child.pid(), "worker proc"));
  child.signal(SIGKILL);
  EXPECT_TRUE(wait_until([&] { return !child.check(); }, 10s));
}

TEST_F(ProcessTest, LastLines) {
  std::ofstream(folder_ + "/log") << "1\n2\n3\n";
  EXPECT_EQ(last_lines(folder_ + "/log", 2), "2\n3");
  EXPECT_EQ(last_lines(folder_ + "/log", 9), "1\n2\n3");
  EXPECT_EQ(last_lines(folder_ + "/none", 9), "");
}

TEST_F(ProcessTest, AnAddressInUseIsSeen) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  Listener listener;
  listener.ip = "127.0.0.1";
  listener.port = ntohs(address.sin_port);
  EXPECT_TRUE(accepts(listener));
  EXPECT_EQ(listen_problem(listener), "Address already in use");
  listener.ip = "0.0.0.0";
  EXPECT_EQ(listen_problem(listener), "Address already in use");
  ::close(fd);
  EXPECT_FALSE(accepts(listener));
  EXPECT_EQ(listen_problem(listener), "");
}

TEST_F(ProcessTest, AnAccountReachesWhatItsModesAllow) {
  ASSERT_EQ(::mkdir((folder_ + "/shut").c_str(), 0700), 0);
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  const Account stranger{.user = "nobody", .group = "nogroup", .uid = 65534, .gid = 65534};
  const Account self{.user = "", .group = "", .uid = ::geteuid(), .gid = ::getegid()};
  EXPECT_EQ(can_reach("/", stranger), true);
  EXPECT_FALSE(can_reach(folder_ + "/shut", stranger));
  EXPECT_TRUE(can_reach(folder_ + "/shut", self));
  EXPECT_FALSE(can_reach(folder_ + "/missing", self));
}

TEST_F(ProcessTest, SelfSignedCertificatesAreMadeOnce) {
  Paths paths = Paths::of(folder_);
  ASSERT_EQ(::mkdir(paths.ssl.c_str(), 0700), 0);
  const auto settings = Settings::from_values({{"prefix", folder_}});
  ASSERT_TRUE(settings.ok());
  ASSERT_TRUE(make_certificates(*settings, paths).ok());
  const std::string key = default_certificate(paths, "admin").key;
  struct stat before {
  }, after{};
  ASSERT_EQ(::stat(key.c_str(), &before), 0);
  EXPECT_EQ(before.st_mode & 0777, 0600u);
  ASSERT_TRUE(make_certificates(*settings, paths).ok());
  ASSERT_EQ(::stat(key.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  const auto text =
      run({"/usr/bin/openssl", "x509", "-noout", "-text", "-in", paths.ssl + "/kong-default.crt"});
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(text->text, HasSubstr("CN = localhost"));
  EXPECT_THAT(text->text, HasSubstr("DNS:localhost, IP Address:127.0.0.1"));
}

}  // namespace
}  // namespace gibbon::app
