#pragma once

#include <string>

namespace gibbon::agent {

/// Sends the log to standard error, a line each in nginx's form; the supervisor gives that to logs/agent.log.
void start_log(const std::string& level);
/// `level`: debug, info, notice, warn, error, crit, alert, emerg.
void set_log_level(const std::string& level);

}  // namespace gibbon::agent
