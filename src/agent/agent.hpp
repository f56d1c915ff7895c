#pragma once

#include "base/paths.hpp"
#include "base/result.hpp"
#include "config/settings.hpp"

/// The process beside nginx: it serves the Admin API, keeps the configuration, publishes it to the workers,
/// and delivers what they record.
namespace gibbon::agent {

/// Runs until SIGTERM or SIGINT and returns the process's exit status. SIGHUP reads PREFIX/.gibbon_env and
/// the declarative file again; what is wrong with them is logged, and the old ones stay in effect. Threads:
/// the main thread, before any other exists: it blocks the signals that it waits for.
int run(const Settings& settings, const Paths& paths);

/// What `gibbon check` asks: plugins load, the declarative file is right, the store opens if it is there.
/// Errors: all problems, a line each.
[[nodiscard]] Status check(const Settings& settings, const Paths& paths);

}  // namespace gibbon::agent
