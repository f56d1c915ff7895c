#include <signal.h>
#include <unistd.h>

#include "app/commands.hpp"
#include "app/process.hpp"
#include "app/supervisor.hpp"

namespace gibbon::app {

namespace {

using namespace std::chrono_literals;
constexpr Milliseconds kStopPatience = 60s;  // More than the supervisor takes for everything.

/// Ends what a killed supervisor left behind. False where nothing runs.
Result<bool> end_left_behind(const Paths& paths, Supervisor::Mode mode) {
  auto settings = Settings::load_effective(paths.prefix);
  if (!settings) return settings.error();
  auto supervisor = Supervisor::of(*settings, paths);
  if (!supervisor) return supervisor.error();
  if (!(*supervisor)->adopt()) return false;
  (*supervisor)->shut_down(mode);
  return true;
}

bool gone(const Paths& paths) { return !running_supervisor(paths); }

/// Ends the gateway in `paths`. False where nothing runs.
Result<bool> end_gateway(const Paths& paths) {
  const auto supervisor = running_supervisor(paths);
  if (!supervisor) return end_left_behind(paths, Supervisor::Mode::kFast);
  ::kill(*supervisor, SIGTERM);
  if (wait_until([&] { return gone(paths); }, kStopPatience)) return true;
  return Error{"Gibbon did not stop in " + paths.prefix + " (pid " + std::to_string(*supervisor) + ")", ""};
}

Error not_running(const Paths& paths) { return {"Gibbon is not running in " + paths.prefix, ""}; }

}  // namespace

int stop(const Options& options) {
  const auto paths = existing_prefix(options);
  if (!paths) return fail(paths.error());
  const auto ended = end_gateway(*paths);
  if (!ended) return fail(ended.error());
  if (!*ended) return fail(not_running(*paths));
  say("Gibbon stopped");
  return 0;
}

int quit(const Options& options, double timeout_s, double wait_s) {
  const auto paths = existing_prefix(options);
  if (!paths) return fail(paths.error());
  const auto milliseconds = [](double seconds) {
    return Milliseconds(static_cast<long long>(seconds * 1000));
  };
  const auto supervisor = running_supervisor(*paths);
  if (!supervisor) {
    const auto ended = end_left_behind(*paths, Supervisor::Mode::kFast);
    if (!ended) return fail(ended.error());
    if (!*ended) return fail(not_running(*paths));
    say("Gibbon stopped");
    return 0;
  }
  if (wait_s > 0) {
    say_verbose(options, "waiting before quitting");
    if (wait_until([&] { return gone(*paths); }, milliseconds(wait_s))) {
      return fail({"Gibbon stopped while waiting (unexpected)", ""});
    }
  }
  ::kill(*supervisor, SIGQUIT);
  say_verbose(options, "waiting for nginx to finish processing requests");
  if (wait_until([&] { return gone(*paths); }, milliseconds(timeout_s))) {
    say("Gibbon stopped (gracefully)");
    return 0;
  }
  ::kill(*supervisor, SIGTERM);
  if (!wait_until([&] { return gone(*paths); }, kStopPatience)) {
    return fail({"Gibbon did not stop in " + paths->prefix, ""});
  }
  say("Timeout, Gibbon stopped forcefully");
  return 0;
}

}  // namespace gibbon::app
