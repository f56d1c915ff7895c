#include "agent/agent.hpp"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "agent/declarative_source.hpp"
#include "agent/log.hpp"
#include "agent/process.hpp"
#include "agent/store/migrations.hpp"
#include "agent/store/sqlite_store.hpp"
#include "base/version.hpp"
#include "config/settings_text.hpp"

namespace gibbon::agent {

namespace {

/// How often the agent looks whether another program wrote to the store, at most once in a tenth of a second.
timespec update_frequency(const Settings& settings) {
  const auto found = settings.effective.find("db_update_frequency");
  const auto given = found == settings.effective.end() ? std::nullopt : settings::parse_number(found->second);
  const double seconds = std::clamp(given.value_or(5), 0.1, 86400.0);
  timespec time{};
  time.tv_sec = static_cast<time_t>(seconds);
  time.tv_nsec = static_cast<long>((seconds - static_cast<double>(time.tv_sec)) * 1e9);
  return time;
}

}  // namespace

int run(const Settings& settings, const Paths& paths) {
  start_log(settings.log_level);
  // Every thread inherits this: signals come to sigwait() below and nowhere else.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, kStoreChanged}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  Process process(settings, paths);
  if (const auto started = process.start(); !started.ok()) {
    spdlog::critical("{}", started.error().message);
    return 1;
  }
  spdlog::info("the agent runs: gibbon {}, {}", kVersion, paths.prefix);
  while (true) {
    const auto frequency = update_frequency(*process.settings());
    const int number = sigtimedwait(&signals, nullptr, &frequency);
    if (number < 0 || number == kStoreChanged) {
      if (number > 0 || errno == EAGAIN) process.catch_up();
      continue;
    }
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

Result<Checked> check(const Settings& settings, const std::string& database) {
  if (const auto guard = Guard::load(settings); !guard.ok()) return guard.error();
  if (auto status = check_addresses(settings, Paths::of(settings.prefix)); !status.ok()) return status.error();
  auto plugins = plugin::Registry::load(settings.plugins, settings.plugin_path);
  if (!plugins.ok()) return plugins.error();
  const Catalog catalog(std::make_shared<const plugin::Registry>(std::move(*plugins)));
  Checked checked;
  if (settings.database == "off") {
    const auto input = read_declarative(settings, catalog);
    if (!input.ok()) return input.error();
    return checked;
  }
  if (!std::filesystem::exists(database)) return checked;
  const auto found = SqliteStore::inspect(database, catalog.shared_collections());
  if (!found.ok()) return found.error();
  if (auto enabled = catalog.check_plugins(*found->image); !enabled.ok()) return enabled.error();
  if (found->layout < found->newest_layout)
    checked.notes.push_back(database + " has layout " + std::to_string(found->layout) +
                            ": the next start brings it to " + std::to_string(found->newest_layout) +
                            ", and keeps a copy as " + backup_path(database, found->layout));
  return checked;
}

}  // namespace gibbon::agent
