#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>

#include "app/commands.hpp"
#include "app/nginx_conf.hpp"
#include "app/prefix.hpp"
#include "app/probe.hpp"
#include "app/process.hpp"
#include "app/supervisor.hpp"

namespace gibbon::app {

namespace {

using namespace std::chrono_literals;
constexpr Milliseconds kWorkersPatience = 20s;

std::set<pid_t> worker_pids(const Paths& paths, pid_t nginx) {
  std::set<pid_t> pids;
  for (const auto& worker : look_at_control(paths).workers) {
    if (worker.applied > 0 && parent_of(worker.pid) == nginx) pids.insert(worker.pid);
  }
  return pids;
}

/// nginx went on with what it had, so everything else does too. The error for the operator.
Error take_back(const Settings& running, const Paths& paths, pid_t supervisor) {
  const std::string log = paths.logs + "/error.log";
  std::string message =
      "nginx did not take the new configuration; the last lines of " + log + ":\n" + last_lines(log, 10);
  Status status = prepare_prefix(running, paths, paths.nginx_conf);
  if (status) status = running.store_effective();
  if (status)
    ::kill(supervisor, SIGHUP);
  else
    message += "\nand the former one could not be restored: " + status.error().message;
  return {message, ""};
}

}  // namespace

int reload(const Options& options) {
  const auto paths = existing_prefix(options);
  if (!paths) return fail(paths.error());
  const auto supervisor = running_supervisor(*paths);
  const auto nginx = running_pid(paths->pids + "/nginx.pid", paths->prefix);
  if (!supervisor || !nginx) return fail({"Gibbon is not running in " + paths->prefix, ""});

  const auto running = Settings::load_effective(paths->prefix);
  if (!running) return fail(running.error());
  auto settings = Settings::reload(options.conf, paths->prefix, environ);
  if (!settings) return fail(settings.error());
  for (const std::string& note : settings->notes) say_verbose(options, "Note: " + note);
  if (Status status = check_addresses(*settings, &running.value()); !status) return fail(status.error());
  if (const auto checked = check_all(*settings); !checked) return fail(checked.error());

  // Whatever is refused up to here, and by nginx now, leaves the running configuration as it is.
  const std::string draft = paths->nginx_conf + ".new";
  Status status = prepare_prefix(*settings, *paths, draft);
  if (status) status = test_nginx(*paths, draft);
  if (status && std::rename(draft.c_str(), paths->nginx_conf.c_str()) != 0) {
    status = Error{paths->nginx_conf + ": " + std::strerror(errno), ""};
  }
  if (status) status = settings->store_effective();
  if (!status) {
    ::unlink(draft.c_str());
    return fail(status.error());
  }

  const std::set<pid_t> old = worker_pids(*paths, *nginx);
  const std::size_t wanted = worker_count(*settings, NginxHost::of(*settings, *paths));
  ::kill(*supervisor, SIGHUP);
  const bool replaced = wait_until(
      [&] {
        const auto now = worker_pids(*paths, *nginx);
        return static_cast<std::size_t>(
                   std::ranges::count_if(now, [&](pid_t pid) { return !old.contains(pid); })) >= wanted;
      },
      kWorkersPatience);
  if (!replaced) return fail(take_back(*running, *paths, *supervisor));
  say("Gibbon reloaded");
  return 0;
}

}  // namespace gibbon::app
