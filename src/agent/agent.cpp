#include "agent/agent.hpp"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <filesystem>

#include "agent/declarative_source.hpp"
#include "agent/log.hpp"
#include "agent/process.hpp"
#include "agent/store/sqlite_store.hpp"
#include "base/version.hpp"

namespace gibbon::agent {

int run(const Settings& settings, const Paths& paths) {
  start_log(settings.log_level);
  // Every thread inherits this: signals come to sigwait() below and nowhere else.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  Process process(settings, paths);
  if (const auto started = process.start(); !started.ok()) {
    spdlog::critical("{}", started.error().message);
    return 1;
  }
  spdlog::info("the agent runs: gibbon {}, {}", kVersion, paths.prefix);
  while (true) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number != SIGHUP) break;
    if (const auto reloaded = process.reload(); reloaded.ok()) {
      spdlog::info("reloaded");
    } else {
      spdlog::error("not reloaded, the configuration stays as it is: {}", reloaded.error().message);
    }
  }
  spdlog::info("the agent stops");
  process.stop();
  return 0;
}

Status check(const Settings& settings, const Paths& paths) {
  auto plugins = plugin::Registry::load(settings.plugins, settings.plugin_path);
  if (!plugins.ok()) return plugins.error();
  const Catalog catalog(std::make_shared<const plugin::Registry>(std::move(*plugins)));
  if (settings.database == "off") {
    const auto input = read_declarative(settings, catalog);
    return input.ok() ? Status() : Status(input.error());
  }
  if (!std::filesystem::exists(paths.database)) return {};
  const auto store = SqliteStore::open(paths.database, catalog.shared_collections());
  if (!store.ok()) return store.error();
  const auto missing = catalog.missing_plugins(*(*store)->read());
  if (missing.empty()) return {};
  std::string names;
  for (const auto& name : missing) names += (names.empty() ? "" : ", ") + name;
  return Error{"in use, but not enabled: " + names + "; add them to the 'plugins' configuration property",
               "plugins"};
}

}  // namespace gibbon::agent
