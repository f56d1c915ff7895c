#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "app/commands.hpp"
#include "app/prefix.hpp"
#include "app/probe.hpp"
#include "app/process.hpp"
#include "app/supervisor.hpp"
#include "base/installation.hpp"
#include "plugin/registry.hpp"

namespace gibbon::app {

namespace {

/// Whether something of this gateway runs, with or without a supervisor.
bool anything_runs(const Paths& paths) {
  return running_pid(paths.pids + "/nginx.pid", paths.prefix) ||
         running_pid(paths.pids + "/agent.pid", paths.prefix) ||
         running_pid(paths.pids + "/logs.pid", paths.entries);
}

/// Of what prepare_prefix() makes; a later start makes it again.
void remove_made_outside(const Paths& paths) {
  remove_shared(paths);
  remove_temporary(paths);
}

/// Leaves the terminal and the caller's folder behind, and becomes the supervisor.
[[noreturn]] void become_supervisor(const Paths& paths, int ready_fd) {
  ::setsid();
  if (::chdir("/") != 0) ::_exit(1);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int log =
      ::open((paths.logs + "/gibbon.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  ::dup2(null, STDIN_FILENO);
  ::dup2(log >= 0 ? log : null, STDOUT_FILENO);
  ::dup2(log >= 0 ? log : null, STDERR_FILENO);
  ::fcntl(ready_fd, F_SETFD, 0);
  const std::string fd = std::to_string(ready_fd);
  const char* executable = Installation::here().executable.c_str();
  ::execl(executable, executable, "supervise", "-p", paths.prefix.c_str(), "--ready-fd", fd.c_str(), nullptr);
  ::_exit(1);
}

/// Starts the supervisor in the background and waits for its word. Errors: what it says.
Status start_supervisor(const Paths& paths) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{std::string("pipe: ") + std::strerror(errno), ""};
  const pid_t pid = ::fork();
  if (pid < 0) return Error{std::string("fork: ") + std::strerror(errno), ""};
  if (pid == 0) become_supervisor(paths, ends[1]);
  ::close(ends[1]);
  std::string word;
  char buffer[4096];
  for (ssize_t count;
       (count = ::read(ends[0], buffer, sizeof buffer)) > 0 || (count < 0 && errno == EINTR);) {
    if (count > 0) word.append(buffer, static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  if (word == "ok") return {};
  if (!word.empty()) return Error{word, ""};
  return Error{"the supervisor ended without a word; see " + paths.logs + "/gibbon.log", ""};
}

int start_with(const Settings& settings, const Options& options) {
  const Paths paths = Paths::of(settings.prefix);
  for (const std::string& note : settings.notes) say_verbose(options, "Note: " + note);
  say_verbose(options, "prefix in use: " + paths.prefix);
  if (running_supervisor(paths)) return fail({"Gibbon is already running in " + paths.prefix, ""});

  const bool left_behind = anything_runs(paths);
  if (left_behind) say("Found programs of an earlier start that ended uncleanly; they are taken over");
  if (!left_behind) {
    if (Status status = check_addresses(settings, nullptr); !status) return fail(status.error());
  }
  // Before nginx does, whose word on them would be shorter.
  if (Status tried = plugin::Registry::try_load(settings.plugins, settings.plugin_path); !tried)
    return fail(tried.error());
  Status ready = prepare_prefix(settings, paths, paths.nginx_conf);
  if (ready) ready = test_nginx(paths, paths.nginx_conf);
  if (ready) ready = settings.store_effective();
  if (!ready) {
    if (!left_behind) remove_made_outside(paths);
    return fail(ready.error());
  }

  if (!settings.nginx_daemon) {
    return supervise({.conf = "", .prefix = paths.prefix, .verbosity = options.verbosity}, -1);
  }
  if (Status status = start_supervisor(paths); !status) return fail(status.error());
  say("Gibbon started");
  return 0;
}

/// The supervisor's word to whoever started it.
void report(int ready_fd, const Status& status) {
  if (ready_fd < 0) {
    if (status)
      say("Gibbon started");
    else
      fail(status.error());
    return;
  }
  const std::string word = status ? "ok" : status.error().message;
  for (std::size_t done = 0; done < word.size();) {
    const ssize_t count = ::write(ready_fd, word.data() + done, word.size() - done);
    if (count <= 0) break;  // The starter is gone; the log has it.
    done += static_cast<std::size_t>(count);
  }
  ::close(ready_fd);
}

}  // namespace

int start(const Options& options) {
  auto settings = Settings::load(options.conf, options.prefix, environ);
  if (!settings) return fail(settings.error());
  if (!settings->conf_file.empty()) say_verbose(options, "reading config file at " + settings->conf_file);
  return start_with(*settings, options);
}

int restart(const Options& options) {
  const auto paths = existing_prefix(options);
  if (!paths) return fail(paths.error());
  auto settings = ::access(paths->settings.c_str(), F_OK) == 0
                      ? Settings::reload(options.conf, paths->prefix, environ)
                      : Settings::load(options.conf, options.prefix, environ);
  if (!settings) return fail(settings.error());
  if (running_supervisor(*paths) || anything_runs(*paths)) {
    if (const int code = stop({.conf = "", .prefix = paths->prefix, .verbosity = options.verbosity});
        code != 0) {
      return code;
    }
  }
  return start_with(*settings, options);
}

int prepare(const Options& options) {
  auto settings = Settings::load(options.conf, options.prefix, environ);
  if (!settings) return fail(settings.error());
  const Paths paths = Paths::of(settings->prefix);
  if (running_supervisor(paths)) return fail({"Gibbon is already running in " + paths.prefix, ""});
  if (Status status = prepare_prefix(*settings, paths, paths.nginx_conf); !status)
    return fail(status.error());
  if (Status status = settings->store_effective(); !status) return fail(status.error());
  if (!anything_runs(paths)) remove_made_outside(paths);
  say("Gibbon is prepared at " + paths.prefix);
  return 0;
}

int supervise(const Options& options, int ready_fd) {
  ::signal(SIGPIPE, SIG_IGN);
  if (ready_fd >= 0) ::fcntl(ready_fd, F_SETFD, FD_CLOEXEC);
  auto settings = Settings::load_effective(options.prefix);
  if (!settings) {
    report(ready_fd, settings.error());
    return 1;
  }
  auto supervisor = Supervisor::of(*settings, Paths::of(settings->prefix));
  if (!supervisor) {
    report(ready_fd, supervisor.error());
    return 1;
  }
  (*supervisor)->adopt();
  const Status status = (*supervisor)->bring_up();
  report(ready_fd, status);
  if (!status) return 1;
  (*supervisor)->run();
  return 0;
}

}  // namespace gibbon::app
