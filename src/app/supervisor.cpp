#include "app/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "app/nginx_conf.hpp"
#include "app/prefix.hpp"
#include "app/probe.hpp"
#include "app/process.hpp"
#include "base/installation.hpp"

namespace gibbon::app {

namespace {

using namespace std::chrono_literals;

constexpr auto kStartPatience = 30s;    // Until a program answers after its start.
constexpr auto kWorkersPatience = 10s;  // A fast stop of nginx.
constexpr auto kAgentPatience = 30s;    // For the agent to take over what the rings hold.
constexpr auto kLogsPatience = 10s;
constexpr std::chrono::milliseconds kTick = 100ms;

std::string pid_file(const Paths& paths) { return paths.pids + "/gibbon.pid"; }

Child::Program agent_program(const Paths& paths) {
  return {.name = "agent",
          .command = {Installation::here().executable, "agent", "-p", paths.prefix},
          .pid_file = paths.pids + "/agent.pid",
          .log = paths.logs + "/agent.log",
          .mark = paths.prefix};
}

Child::Program nginx_program(const Paths& paths) {
  return {.name = "nginx",
          .command = {kNginx, "-p", paths.prefix, "-c", paths.nginx_conf, "-g", "daemon off;"},
          .pid_file = paths.pids + "/nginx.pid",
          .log = paths.logs + "/error.log",
          .mark = paths.prefix};
}

Child::Program logs_program(const Settings& settings, const Paths& paths) {
  return {.name = "logs",
          .command = {Installation::here().executable, "logs", "--listen", settings.logs_listen.address(),
                      "--data", paths.entries, "--web", Installation::here().web},
          .pid_file = paths.pids + "/logs.pid",
          .log = paths.logs + "/logs.log",
          .mark = paths.entries};
}

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD}) sigaddset(&set, number);
  return set;
}

}  // namespace

void log_line(const Paths& paths, const char* level, const std::string& text) {
  char time[32];
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  std::strftime(time, sizeof time, "%Y/%m/%d %H:%M:%S", &parts);
  const std::string line = std::string(time) + " [" + level + "] " + text + "\n";
  const int fd =
      ::open((paths.logs + "/gibbon.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) return;
  // One write, so that lines of several processes do not mix; a full disk must not stop the supervisor.
  [[maybe_unused]] const ssize_t written = ::write(fd, line.data(), line.size());
  ::close(fd);
}

std::optional<pid_t> running_supervisor(const Paths& paths) {
  const int fd = ::open(pid_file(paths).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return held ? read_pid(pid_file(paths)) : std::nullopt;
}

Result<std::unique_ptr<Supervisor>> Supervisor::of(const Settings& settings, const Paths& paths) {
  const int lock = ::open(pid_file(paths).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) return Error{pid_file(paths) + ": " + std::strerror(errno), ""};
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return Error{"Gibbon is already running in " + paths.prefix, ""};
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock, 0) != 0 || ::pwrite(lock, pid.data(), pid.size(), 0) < 0) {
    ::close(lock);
    return Error{pid_file(paths) + ": " + std::strerror(errno), ""};
  }
  return std::unique_ptr<Supervisor>(new Supervisor(settings, paths, lock));
}

Supervisor::Supervisor(Settings settings, Paths paths, int lock)
    : settings_(std::move(settings)),
      paths_(std::move(paths)),
      lock_(lock),
      agent_(agent_program(paths_)),
      nginx_(nginx_program(paths_)) {
  const sigset_t set = handled_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  plan_log_service();
  workers_ = worker_count(settings_, NginxHost::of(settings_, paths_));
}

Supervisor::~Supervisor() {
  if (signals_ >= 0) ::close(signals_);
  ::unlink(pid_file(paths_).c_str());
  ::close(lock_);
}

void Supervisor::plan_log_service() {
  if (settings_.log_service) logs_.emplace(logs_program(settings_, paths_));
}

bool Supervisor::adopt() {
  if (!logs_) {
    Child left(logs_program(settings_, paths_));
    if (left.adopt()) logs_.emplace(std::move(left));
  } else {
    logs_->adopt();
  }
  const bool agent = agent_.adopt(), nginx = nginx_.adopt();
  return agent || nginx || (logs_ && logs_->running());
}

Status Supervisor::bring_up() {
  forget_passing_state(paths_);
  generation_before_ = look_at_control(paths_).generation;
  Status status = launch(agent_);
  if (status) status = wait_for(agent_, "publish a configuration", &Supervisor::agent_is_ready);
  if (status && logs_) status = launch(*logs_);
  if (status && logs_) status = wait_for(*logs_, "listen", &Supervisor::logs_are_ready);
  if (status) status = launch(nginx_);
  if (status) status = wait_for(nginx_, "answer with all workers", &Supervisor::nginx_is_ready);
  if (status) {
    log_line(paths_, "notice", "started");
    return status;
  }
  log_line(paths_, "error", status.error().message);
  shut_down(Mode::kFast);
  return status;
}

Status Supervisor::launch(Child& child) {
  if (child.running()) {
    log_line(paths_, "notice",
             child.program().name + " (pid " + std::to_string(child.pid()) + ") was running; taken over");
    // It may run with older settings. The log service has none but its command line.
    if (&child == &nginx_ || &child == &agent_) child.signal(SIGHUP);
    return {};
  }
  if (&child == &nginx_ && end_orphaned_workers(SIGQUIT)) {
    // They answer what they have begun, but give up their addresses first.
    wait_until(
        [&] {
          return std::ranges::all_of(settings_.proxy_listen, [](const Listener& listener) {
            return listen_problem(listener).empty();
          });
        },
        2s);
  }
  Status status = child.start();
  if (status)
    log_line(paths_, "notice", child.program().name + " started (pid " + std::to_string(child.pid()) + ")");
  return status;
}

Status Supervisor::wait_for(Child& child, const char* what, bool (Supervisor::*condition)()) {
  const auto deadline = Child::Clock::now() + kStartPatience;
  std::string problem;
  while (problem.empty()) {
    if (!child.check())
      problem = child.program().name + " " + child.ending();
    else if ((this->*condition)())
      return {};
    else if (Child::Clock::now() > deadline)
      problem = child.program().name + " did not " + what + " within 30 s";
    else if (const Wish wish = next_signal(20ms); wish == Wish::kFast || wish == Wish::kGraceful)
      problem = "interrupted";
  }
  const std::string lines = last_lines(child.program().log, 10);
  return Error{problem + (lines.empty() ? "" : "; the last lines of " + child.program().log + ":\n" + lines),
               ""};
}

bool Supervisor::agent_is_ready() {
  const std::uint64_t generation = look_at_control(paths_).generation;
  const auto listening = [](const std::vector<Listener>& all) { return std::ranges::all_of(all, accepts); };
  // A page that a crash left behind has a generation already. The agent makes a new one when it starts; one
  // that was taken over need not.
  const bool published = generation > generation_before_ || (generation > 0 && agent_.adopted());
  return published && listening(settings_.admin_listen) && listening(settings_.status_listen);
}

bool Supervisor::logs_are_ready() { return accepts(settings_.logs_listen); }

bool Supervisor::nginx_is_ready() {
  const ControlView view = look_at_control(paths_);
  const auto joined = std::ranges::count_if(view.workers, [&](const ControlView::Worker& worker) {
    return worker.applied > 0 && parent_of(worker.pid) == nginx_.pid();
  });
  return joined >= static_cast<std::ptrdiff_t>(workers_) &&
         std::ranges::all_of(settings_.proxy_listen, accepts);
}

Supervisor::Wish Supervisor::next_signal(std::chrono::milliseconds timeout) {
  pollfd wait{.fd = signals_, .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, static_cast<int>(timeout.count())) <= 0) return Wish::kNone;
  Wish wish = Wish::kNone;
  for (signalfd_siginfo info; ::read(signals_, &info, sizeof info) == sizeof info;) {
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
      wish = Wish::kFast;
    else if (info.ssi_signo == SIGQUIT && wish != Wish::kFast)
      wish = Wish::kGraceful;
    else if (info.ssi_signo == SIGHUP && wish == Wish::kNone)
      wish = Wish::kReload;
  }
  return wish;
}

void Supervisor::run() {
  while (true) {
    // The end of a child of ours is a signal; that of a program that was taken over, and the time of a
    // restart, are not.
    const auto quiet = [](const Child& child) { return child.running() && !child.adopted(); };
    const bool all_quiet = quiet(agent_) && quiet(nginx_) && (!logs_ || quiet(*logs_));
    switch (next_signal(all_quiet ? -1ms : kTick)) {
      case Wish::kFast:
        return shut_down(Mode::kFast);
      case Wish::kGraceful:
        return shut_down(Mode::kGraceful);
      case Wish::kReload:
        reload();
        break;
      case Wish::kNone:
        break;
    }
    watch(agent_);
    watch(nginx_);
    if (logs_) watch(*logs_);
    reap_strangers();
  }
}

/// In a container this may be process 1, which inherits every orphan. Our own children are watch()'s.
void Supervisor::reap_strangers() const {
  siginfo_t info{};
  while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
    if (info.si_pid == agent_.pid() || info.si_pid == nginx_.pid() || (logs_ && info.si_pid == logs_->pid()))
      return;
    ::waitpid(info.si_pid, nullptr, WNOHANG);
    info = {};
  }
}

void Supervisor::watch(Child& child) {
  if (child.running()) {
    if (child.check()) return;
    log_line(paths_, "error", child.program().name + " " + child.ending() + "; it is started again");
  }
  if (Child::Clock::now() < child.restart_at()) return;
  if (Status status = launch(child); !status) log_line(paths_, "error", status.error().message);
}

void Supervisor::reload() {
  auto settings = Settings::load_effective(paths_.prefix);
  if (!settings) {
    log_line(paths_, "error", "not reloaded: " + settings.error().message);
    return;
  }
  const bool log_service_changed =
      settings->log_service != settings_.log_service || settings->logs_listen != settings_.logs_listen;
  settings_ = std::move(settings.value());
  workers_ = worker_count(settings_, NginxHost::of(settings_, paths_));
  if (log_service_changed) {
    if (logs_) end(*logs_, SIGTERM, kLogsPatience);
    logs_.reset();
    plan_log_service();
    if (logs_) static_cast<void>(launch(*logs_));
  }
  agent_.signal(SIGHUP);
  nginx_.signal(SIGHUP);
  log_line(paths_, "notice", "reloaded");
}

void Supervisor::end(Child& child, int signal, std::chrono::milliseconds patience) {
  child.signal(signal);
  const auto deadline = Child::Clock::now() + patience;
  bool killed = false;
  while (child.check()) {
    const bool late = signal != SIGQUIT && Child::Clock::now() > deadline;
    if (late && !killed) {
      log_line(paths_, "error", child.program().name + " did not end in time; killed");
      child.signal(SIGKILL);
      killed = true;
    }
    if (next_signal(20ms) == Wish::kFast && signal == SIGQUIT) return end(child, SIGTERM, patience);
  }
  child.forget();
}

bool Supervisor::end_orphaned_workers(int signal) {
  bool any = false;
  for (const auto& worker : look_at_control(paths_).workers) {
    if (parent_of(worker.pid) != nginx_.pid() && is_running(worker.pid, "nginx: worker process")) {
      any |= ::kill(worker.pid, signal) == 0;
    }
  }
  return any;
}

void Supervisor::shut_down(Mode mode) {
  end(nginx_, mode == Mode::kFast ? SIGTERM : SIGQUIT, kWorkersPatience);
  end_orphaned_workers(mode == Mode::kFast ? SIGTERM : SIGQUIT);
  wait_until([&] { return look_at_control(paths_).workers.empty(); }, 2s);
  end_orphaned_workers(SIGKILL);

  end(agent_, SIGTERM, kAgentPatience);
  if (logs_) end(*logs_, SIGTERM, kLogsPatience);
  remove_shared(paths_);
  remove_temporary(paths_);
  log_line(paths_, "notice", "stopped");
}

}  // namespace gibbon::app
