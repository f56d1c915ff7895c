#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/child.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"
#include "config/settings.hpp"

namespace gibbon::app {

/// Keeps nginx, the agent and, where asked, the log service running in one prefix.
///
/// It is a process of its own, `gibbon supervise -p PREFIX`, known by the lock that it holds on
/// pids/gibbon.pid. Signals: SIGTERM and SIGINT stop fast, SIGQUIT stops once all requests are answered,
/// SIGHUP reads the settings anew and reloads. A program that ends is started again at once, and with a
/// growing delay when it keeps ending. If the supervisor itself is killed, the programs run on, and the next
/// one takes them over by their pid files.
class Supervisor {
 public:
  /// Takes the prefix's lock. Errors: another supervisor holds it.
  static Result<std::unique_ptr<Supervisor>> of(const Settings& settings, const Paths& paths);
  ~Supervisor();

  /// Starts or takes over everything and waits until all of it answers. Errors: the reason, with the last
  /// lines of the log that holds it; what this call had started is ended again.
  Status bring_up();
  /// Keeps it running until a signal ends it all. Returns when nothing runs any more.
  void run();
  /// Takes over what an earlier supervisor left, without starting anything. True where something runs.
  bool adopt();

  enum class Mode { kFast, kGraceful };
  /// Ends nginx, then the agent (it takes over what the rings hold), then the log service. A graceful stop
  /// waits for nginx without end, until a signal makes it a fast one.
  void shut_down(Mode mode);

 private:
  enum class Wish { kNone, kFast, kGraceful, kReload };

  Supervisor(Settings settings, Paths paths, int lock);
  Wish next_signal(std::chrono::milliseconds timeout);
  Status wait_for(Child& child, const char* what, bool (Supervisor::*condition)());
  Status launch(Child& child);
  void watch(Child& child);
  void reap_strangers() const;
  void reload();
  void plan_log_service();
  void end(Child& child, int signal, std::chrono::milliseconds patience);
  /// Workers whose nginx was killed serve on with what they have. True where there were any.
  bool end_orphaned_workers(int signal);

  [[nodiscard]] bool agent_is_ready();
  [[nodiscard]] bool nginx_is_ready();
  [[nodiscard]] bool logs_are_ready();

  Settings settings_;
  Paths paths_;
  int lock_, signals_ = -1;
  Child agent_, nginx_;
  std::optional<Child> logs_;
  std::uint64_t generation_before_ = 0;
  unsigned workers_ = 1;
};

/// Whether a supervisor holds the lock of `paths`; its process where it does.
std::optional<pid_t> running_supervisor(const Paths& paths);

/// Appends a line to PREFIX/logs/gibbon.log.
void log_line(const Paths& paths, const char* level, const std::string& text);

}  // namespace gibbon::app
