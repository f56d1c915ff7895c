#include "logs/logs.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>

#include "logs/service.hpp"

namespace gibbon::logs {
namespace {

Status open_log(const std::string& file) {
  try {
    auto logger = file.empty() ? spdlog::stderr_logger_mt("logs") : spdlog::basic_logger_mt("logs", file);
    logger->set_pattern("%Y/%m/%d %H:%M:%S.%e [%l] %v");
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
  } catch (const spdlog::spdlog_ex& failed) {
    return Error{failed.what(), {}};
  }
  return {};
}

int fail(const Error& error) {
  spdlog::error("log service: {}", error.message);
  std::fprintf(stderr, "Error: log service: %s\n", error.message.c_str());
  return 1;
}

}  // namespace

int run(const Options& options) {
  if (auto status = open_log(options.log_file); !status) return fail(status.error());
  // Blocked before any thread starts, so that sigwait() below gets them all.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto service = Service::start(options);
  if (!service) return fail(service.error());
  for (const auto& listen : service.value()->listening()) {
    spdlog::info("log service listens on {}://{}{}{}:{}", listen.tls() ? "https" : "http",
                 listen.host.find(':') != std::string::npos ? "[" : "", listen.host,
                 listen.host.find(':') != std::string::npos ? "]" : "", listen.port);
  }
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("signal {}: stopping", signal);
  service.value().reset();
  spdlog::info("stopped");
  spdlog::shutdown();
  return 0;
}

}  // namespace gibbon::logs
