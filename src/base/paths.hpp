#pragma once

#include <string>

namespace gibbon {

/// Where a gateway keeps what: all of it derived from its prefix.
struct Paths {
  /// `prefix` is made absolute; nothing is created.
  static Paths of(const std::string& prefix);

  std::string prefix;
  std::string pids;          ///< nginx.pid, agent.pid, logs.pid, gibbon.pid (the supervisor)
  std::string logs;          ///< error.log, access.log, agent.log, logs.log
  std::string ssl;           ///< certificates made at start
  std::string nginx_conf;    ///< generated
  std::string settings;      ///< `.gibbon_env`: the effective settings, as KEY=VALUE
  std::string database;      ///< gibbon.db
  std::string entries;       ///< the log service's own data
  std::string spool;
  /// Rings, control page and snapshots: on tmpfs, since they hold secrets that must not reach a disk.
  /// `/dev/shm/gibbon-<16 hex digits of the prefix's hash>`; the variable GIBBON_SHM_DIR replaces /dev/shm.
  std::string shared;
};

}  // namespace gibbon
