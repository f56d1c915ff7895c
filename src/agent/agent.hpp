#pragma once

#include <signal.h>

#include <string>
#include <vector>

#include "base/paths.hpp"
#include "base/result.hpp"
#include "config/settings.hpp"

/// The process beside nginx: it serves the Admin API, keeps the configuration, publishes it to the workers,
/// and delivers what they record.
namespace gibbon::agent {

/// Tells a running agent that another program wrote to its store. One that does not listen yet ignores it.
inline constexpr int kStoreChanged = SIGURG;

/// Runs until SIGTERM or SIGINT and returns the process's exit status. SIGHUP reads PREFIX/.gibbon_env and
/// the declarative file again; what is wrong with them is logged, and the old ones stay in effect.
/// kStoreChanged, and without it every `db_update_frequency` seconds, lets go live what others wrote to the
/// store. Threads: the main thread, before any other exists: it blocks the signals that it waits for.
int run(const Settings& settings, const Paths& paths);

struct Checked {
  std::vector<std::string> notes;  ///< What a start would do that an operator should know.
};
/// What `gibbon check` asks: plugins load, the declarative file is right, and the store, where there is one,
/// can be read and brought to the present layout. Changes nothing. Errors: all problems, a line each.
[[nodiscard]] Result<Checked> check(const Settings& settings, const std::string& database);

}  // namespace gibbon::agent
