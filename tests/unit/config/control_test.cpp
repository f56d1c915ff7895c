#include "config/control.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>
#include <vector>

#include "../record/temporary_directory.hpp"
#include "config/shared_file.hpp"

namespace gibbon::config {
namespace {

using namespace std::chrono_literals;

Control open_control(const std::string& directory) {
  Result<Control> control = Control::open(directory);
  EXPECT_TRUE(control) << control.error().message;
  return std::move(control).value();
}

TEST(Control, IsOnePageForAll) {
  const testing::TemporaryDirectory directory;
  Control agent = open_control(directory.path());
  const Control worker = open_control(directory.path());
  EXPECT_EQ(worker.page().generation.load(), 0U);
  agent.publish(3);
  EXPECT_EQ(worker.page().generation.load(), 3U);
  worker.page().workers[255].requests.store(9);
  EXPECT_EQ(agent.page().workers[255].requests.load(), 9U);
}

TEST(Control, IsMadeOnceHoweverManyMakeIt) {
  const testing::TemporaryDirectory directory;
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> opened{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const Result<Control> control = Control::open(directory.path());
      if (control) opened += control->page().connections.accepted.fetch_add(1) >= 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(opened.load(), 1U);
  EXPECT_EQ(open_control(directory.path()).page().connections.accepted.load(),
            static_cast<std::int64_t>(opened.load()));
}

TEST(Control, RefusesAFileThatIsNone) {
  const testing::TemporaryDirectory directory;
  std::ofstream(directory.path() + "/control") << "something else";
  const Result<Control> control = Control::open(directory.path());
  ASSERT_FALSE(control);
  EXPECT_NE(control.error().message.find("control page"), std::string::npos) << control.error().message;
  EXPECT_FALSE(Control::open(directory.path() + "/missing"));
}

TEST(Control, IsReadableByItsOwnersAlone) {
  const testing::TemporaryDirectory directory;
  open_control(directory.path());
  struct stat status {};
  ASSERT_EQ(stat((directory.path() + "/control").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST(Control, BelongsToTheOwnerOfItsDirectory) {
  if (geteuid() != 0) GTEST_SKIP() << "root alone can hand files over";
  const testing::TemporaryDirectory directory;
  ASSERT_EQ(chown(directory.path().c_str(), 65534, 65534), 0);
  open_control(directory.path());
  ASSERT_TRUE(write_shared_file(directory.path(), "snapshot.1", "{}"));
  for (const char* name : {"/control", "/snapshot.1"}) {
    struct stat status {};
    ASSERT_EQ(stat((directory.path() + name).c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 65534U) << name;
  }
}

bool has_byte(int fifo) {
  pollfd poller{.fd = fifo, .events = POLLIN, .revents = 0};
  return poll(&poller, 1, 0) == 1 && (poller.revents & POLLIN) != 0;
}

TEST(Publish, WakesEveryWorkerThatListens) {
  const testing::TemporaryDirectory directory;
  Control control = open_control(directory.path());
  std::vector<int> fifos;
  for (const std::uint32_t slot : {0U, 7U, kControlSlots - 1}) {
    ASSERT_EQ(mkfifo(wake_path(directory.path(), slot).c_str(), 0600), 0);
    fifos.push_back(open(wake_path(directory.path(), slot).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  }
  ASSERT_EQ(mkfifo(wake_path(directory.path(), 3).c_str(), 0600), 0);  // Nobody reads it.
  std::ofstream(wake_path(directory.path(), 4)) << "";                 // No FIFO at all.
  control.publish(1);
  for (const int fifo : fifos) {
    EXPECT_TRUE(has_byte(fifo));
    close(fifo);
  }
  struct stat status {};
  ASSERT_EQ(stat(wake_path(directory.path(), 4).c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 0);
}

TEST(Publish, NeverWaitsForAFullFifo) {
  const testing::TemporaryDirectory directory;
  Control control = open_control(directory.path());
  ASSERT_EQ(mkfifo(wake_path(directory.path(), 0).c_str(), 0600), 0);
  const int fifo = open(wake_path(directory.path(), 0).c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  const std::vector<char> filling(4096);
  while (write(fifo, filling.data(), filling.size()) > 0) {
  }
  control.publish(5);
  EXPECT_EQ(control.page().generation.load(), 5U);
  close(fifo);
}

/// A process that has ended.
pid_t dead_process() {
  const pid_t pid = fork();
  if (pid == 0) _exit(0);
  waitpid(pid, nullptr, 0);
  return pid;
}

TEST(WaitApplied, ReturnsWhenEveryLiveWorkerHasIt) {
  const testing::TemporaryDirectory directory;
  const Control control = open_control(directory.path());
  EXPECT_TRUE(control.wait_applied(1, 0ms)) << "no worker, nothing to wait for";

  ControlPage::Worker& live = control.page().workers[0];
  live.applied.store(4);
  live.pid.store(static_cast<std::uint32_t>(getpid()));
  control.page().workers[1].pid.store(static_cast<std::uint32_t>(dead_process()));
  EXPECT_TRUE(control.wait_applied(4, 0ms)) << "the dead do not count";
  EXPECT_FALSE(control.wait_applied(5, 5ms));

  std::thread worker([&] { live.applied.store(6); });
  EXPECT_TRUE(control.wait_applied(5, 60s)) << "a later generation is as good";
  worker.join();
}

}  // namespace
}  // namespace gibbon::config
