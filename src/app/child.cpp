#include "app/child.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "app/process.hpp"

namespace gibbon::app {

namespace {

using namespace std::chrono_literals;
constexpr auto kEarly = 10s;  // An end sooner than this after the start counts towards the back-off.
constexpr auto kFirstDelay = 100ms;
constexpr auto kLongestDelay = 5000ms;

}  // namespace

bool Child::adopt() {
  const auto pid = running_pid(program_.pid_file, program_.mark);
  if (!pid) return false;
  pid_ = *pid;
  adopted_ = true;
  started_ = Clock::now();
  return true;
}

Status Child::start() {
  auto pid = spawn(program_.command, program_.log);
  if (!pid) {
    ended("could not be started: " + pid.error().message);
    return pid.error();
  }
  pid_ = *pid;
  adopted_ = false;
  started_ = Clock::now();
  return write_pid(program_.pid_file, pid_);
}

bool Child::check() {
  if (pid_ == 0) return false;
  if (adopted_) {
    if (is_running(pid_, program_.mark)) return true;
    ended("has ended");
    return false;
  }
  int status = 0;
  const pid_t result = ::waitpid(pid_, &status, WNOHANG);
  if (result == 0 || (result < 0 && errno == EINTR)) return true;
  ended(result > 0 ? describe_exit(status) : "is gone");
  return false;
}

void Child::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void Child::ended(std::string how) {
  pid_ = 0;
  ending_ = std::move(how);
  ended_ = Clock::now();
  early_ends_ = ended_ - started_ < kEarly ? early_ends_ + 1 : 0;
}

Child::Clock::time_point Child::restart_at() const {
  if (early_ends_ < 2) return ended_;
  const auto delay = kFirstDelay * (1u << std::min(early_ends_ - 2, 8u));
  return ended_ + std::min<Clock::duration>(delay, kLongestDelay);
}

void Child::forget() { ::unlink(program_.pid_file.c_str()); }

}  // namespace gibbon::app
