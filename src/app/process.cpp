#include "app/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

extern char** environ;

namespace gibbon::app {

namespace {

std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

/// posix_spawn with what `actions` says about descriptors.
Result<pid_t> spawn_with(const std::vector<std::string>& command, posix_spawn_file_actions_t* actions,
                         short flags) {
  std::vector<char*> arguments;
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  sigdelset(&all, SIGKILL);
  sigdelset(&all, SIGSTOP);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | flags));

  pid_t pid = -1;
  const int failure = posix_spawn(&pid, arguments[0], actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (failure != 0) return Error{command[0] + ": " + std::strerror(failure), ""};
  return pid;
}

}  // namespace

Result<Output> run(const std::vector<std::string>& command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{std::string("pipe: ") + std::strerror(errno), ""};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  auto pid = spawn_with(command, &actions, 0);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  Output output;
  if (pid) {
    char buffer[4096];
    for (ssize_t count;
         (count = ::read(ends[0], buffer, sizeof buffer)) > 0 || (count < 0 && errno == EINTR);) {
      if (count > 0) output.text.append(buffer, static_cast<std::size_t>(count));
    }
  }
  ::close(ends[0]);
  if (!pid) return pid.error();
  int status = 0;
  while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

Result<pid_t> spawn(const std::vector<std::string>& command, const std::string& log) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0640);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  auto pid = spawn_with(command, &actions, POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

std::optional<pid_t> read_pid(const std::string& file) {
  const std::string text = read_file(file);
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc{} || pid <= 0) return std::nullopt;
  return pid;
}

Status write_pid(const std::string& file, pid_t pid) {
  const std::string draft = file + ".new";
  std::ofstream stream(draft, std::ios::trunc);
  stream << pid << '\n' << std::flush;
  if (!stream || ::rename(draft.c_str(), file.c_str()) != 0)
    return Error{file + ": " + std::strerror(errno), ""};
  return {};
}

bool is_running(pid_t pid, const std::string& mark) {
  // A zombie's command line is empty.
  std::string command = read_file("/proc/" + std::to_string(pid) + "/cmdline");
  while (command.ends_with('\0') || command.ends_with(' ')) command.pop_back();
  std::ranges::replace(command, '\0', ' ');
  return !command.empty() && (' ' + command + ' ').find(' ' + mark + ' ') != std::string::npos;
}

std::optional<pid_t> running_pid(const std::string& file, const std::string& mark) {
  const auto pid = read_pid(file);
  return pid && is_running(*pid, mark) ? pid : std::nullopt;
}

bool wait_until(const std::function<bool()>& condition, Milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(Milliseconds(20));
  }
  return true;
}

std::string describe_exit(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int signal = WTERMSIG(wait_status);
    return "was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  }
  return "exited with status " + std::to_string(WEXITSTATUS(wait_status));
}

std::string last_lines(const std::string& file, std::size_t count) {
  const std::string text = read_file(file);
  std::size_t begin = text.size();
  while (begin > 0 && text[begin - 1] == '\n') --begin;
  const std::size_t end = begin;
  while (begin > 0) {
    if (text[begin - 1] == '\n' && --count == 0) break;
    --begin;
  }
  return text.substr(begin, end - begin);
}

}  // namespace gibbon::app
