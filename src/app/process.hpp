#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

/// Processes: to start, find and wait for them.
namespace gibbon::app {

using Milliseconds = std::chrono::milliseconds;

struct Output {
  int exit_code = 0;  ///< 128 + the signal's number where one ended it.
  std::string text;   ///< Standard output and error together.
};

/// Runs a program to its end. `command[0]` is an absolute path. Errors: it could not be started.
Result<Output> run(const std::vector<std::string>& command);

/// Starts a program in its own process group, with standard input from /dev/null and standard output and
/// error appended to `log`. Signals are at their defaults and unblocked in it. Errors: it could not be
/// started.
Result<pid_t> spawn(const std::vector<std::string>& command, const std::string& log);

/// The number in a pid file; nothing where there is none.
std::optional<pid_t> read_pid(const std::string& file);
Status write_pid(const std::string& file, pid_t pid);

/// Whether `pid` lives, is no zombie, and has `mark` in its command line: a number that the system has given
/// to some other program since is not ours.
bool is_running(pid_t pid, const std::string& mark);
/// The process that `file` names, where it is running.
std::optional<pid_t> running_pid(const std::string& file, const std::string& mark);

/// Asks `condition` again and again until it holds. False when `timeout` is over first.
bool wait_until(const std::function<bool()>& condition, Milliseconds timeout);

/// "exited with status 1", "was killed by signal 9 (Killed)".
std::string describe_exit(int wait_status);

/// The last lines of a file; empty where there is none.
std::string last_lines(const std::string& file, std::size_t count);

}  // namespace gibbon::app
