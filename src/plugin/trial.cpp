#include "plugin/trial.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <string_view>
#include <utility>

namespace gibbon::plugin {
namespace {

constexpr unsigned kPatienceSeconds = 20;

/// SIGCHLD waits meanwhile: a program that collects its children in a handler would collect this one.
class HeldSigchld {
 public:
  HeldSigchld() {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &one, &before_);
  }
  ~HeldSigchld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t count; (count = ::read(fd, buffer.data(), buffer.size())) > 0 || (count < 0 && errno == EINTR);)
    if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
  return text;
}

/// The child: a byte 'b' before each plugin, then 'o', or 'p' with the problem and a zero byte.
[[noreturn]] void try_from(std::vector<Found>& plugins, std::size_t first, const std::function<Status(const Found&)>& load,
                           int report) {
  for (std::size_t i = first; i < plugins.size(); ++i) {
    if (!plugins[i].problem.empty()) continue;
    ::alarm(kPatienceSeconds);
    write_all(report, "b");
    std::string problem;
    bool escaped = true;
    try {
      const Status loaded = load(plugins[i]);
      escaped = false;
      if (!loaded) problem = loaded.error().message;
    } catch (const std::exception& thrown) {
      problem = plugins[i].say(std::string("threw while it was loaded: ") + thrown.what());
    } catch (...) {
      problem = plugins[i].say("threw something that is no std::exception while it was loaded");
    }
    write_all(report, problem.empty() ? "o" : "p" + problem + std::string(1, '\0'));
    if (escaped) ::_exit(0);  // The loader was left in the middle: another child goes on.
  }
  ::_exit(0);
}

/// The last words of a program that crashed, on one line.
std::string last_words(std::string text) {
  constexpr std::size_t kMost = 400;
  std::string line;
  for (const char c : text) {
    if (c != '\n') {
      if (!(c == ' ' && line.ends_with(' '))) line += c;
    } else if (!line.empty() && !line.ends_with("; ")) {
      line += "; ";
    }
  }
  while (line.ends_with("; ")) line.resize(line.size() - 2);
  return line.size() > kMost ? line.substr(0, kMost) + "..." : line;
}

std::string how_it_ended(int status, const std::string& words) {
  std::string how;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    return "was not loaded within " + std::to_string(kPatienceSeconds) + " s";
  } else if (WIFSIGNALED(status)) {
    how = "crashed while it was loaded (" + std::string(::strsignal(WTERMSIG(status))) + ")";
  } else {
    how = "ended the process while it was loaded (exit code " + std::to_string(WEXITSTATUS(status)) + ")";
  }
  const std::string said = last_words(words);
  return said.empty() ? how : how + ": " + said;
}

/// Runs a child from `first` on; returns where the next one begins.
std::size_t run_child(std::vector<Found>& plugins, std::size_t first, const std::function<Status(const Found&)>& load) {
  int report[2], words[2];
  if (::pipe2(report, O_CLOEXEC) != 0) return plugins.size();
  if (::pipe2(words, O_CLOEXEC | O_NONBLOCK) != 0) {
    ::close(report[0]), ::close(report[1]);
    return plugins.size();
  }
  const HeldSigchld held;
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(words[1], STDERR_FILENO);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    for (const int number : {SIGALRM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGTERM, SIGINT})
      ::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);
    try_from(plugins, first, load, report[1]);
  }
  ::close(report[1]);
  const std::string text = pid > 0 ? read_all(report[0]) : std::string();
  int status = 0;
  while (pid > 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string said = pid > 0 ? read_all(words[0]) : std::string();
  ::close(report[0]), ::close(words[0]), ::close(words[1]);
  if (pid < 0) return plugins.size();  // No process to be had: the plugin is loaded untried.

  std::size_t at = first, next = first;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != 'b') continue;  // A plugin may have written here too; nothing but its own trial suffers.
    for (at = next; at < plugins.size() && !plugins[at].problem.empty();) ++at;
    if (at == plugins.size()) return at;
    next = at + 1;
    if (i + 1 < text.size() && text[i + 1] == 'o') {
      ++i;
    } else if (i + 1 < text.size() && text[i + 1] == 'p') {
      const std::size_t end = std::min(text.find('\0', i), text.size());
      plugins[at].problem = text.substr(i + 2, end - i - 2);
      i = end;
    } else {
      plugins[at].problem = plugins[at].say(how_it_ended(status, said));
      return next;
    }
  }
  return next > first ? next : plugins.size();
}

}  // namespace

void try_in_children(std::vector<Found>& plugins, const std::function<Status(const Found&)>& load) {
  for (std::size_t next = 0; next < plugins.size();) next = run_child(plugins, next, load);
}

}  // namespace gibbon::plugin
