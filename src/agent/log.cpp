#include "agent/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace gibbon::agent {

void start_log(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("agent", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y/%m/%d %H:%M:%S [%l] %P#%t: %v");
  spdlog::set_default_logger(std::move(logger));
  set_log_level(level);
}

void set_log_level(const std::string& level) {
  using spdlog::level::level_enum;
  level_enum chosen = spdlog::level::info;  // notice and info
  if (level == "debug") chosen = spdlog::level::debug;
  if (level == "warn") chosen = spdlog::level::warn;
  if (level == "error") chosen = spdlog::level::err;
  if (level == "crit" || level == "alert" || level == "emerg") chosen = spdlog::level::critical;
  spdlog::set_level(chosen);
}

}  // namespace gibbon::agent
