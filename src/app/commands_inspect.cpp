#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "agent/agent.hpp"
#include "app/commands.hpp"
#include "app/prefix.hpp"
#include "app/probe.hpp"
#include "app/process.hpp"
#include "base/version.hpp"
#include "config/settings_text.hpp"
#include "plugin/registry.hpp"

namespace gibbon::app {

int fail(const Error& error) {
  std::cerr << "Error: " << error.message << "\n" << std::flush;
  return 1;
}

void say(const std::string& text) { std::cout << text << "\n" << std::flush; }

void say_verbose(const Options& options, const std::string& text) {
  if (options.verbosity != Verbosity::kNormal) say(text);
}

Result<Paths> existing_prefix(const Options& options) {
  std::string prefix = options.prefix;
  if (prefix.empty()) {
    auto settings = Settings::load(options.conf, "", environ);
    if (!settings) return settings.error();
    prefix = settings->prefix;
  }
  Paths paths = Paths::of(prefix);
  if (::access(paths.prefix.c_str(), F_OK) != 0) return Error{"no such prefix: " + paths.prefix, ""};
  return paths;
}

Status check_addresses(const Settings& settings, const Settings* running) {
  std::string problems;
  std::vector<Listener> seen;
  const auto same_address = [](const Listener& a) {
    return [&a](const Listener& b) { return a.address() == b.address(); };
  };
  const auto look = [&](const char* key, const std::vector<Listener>& wanted,
                        const std::vector<Listener>& ours) {
    for (const Listener& listener : wanted) {
      std::string problem;
      if (std::ranges::any_of(seen, same_address(listener)))
        problem = "is asked for twice";
      else if (!std::ranges::any_of(ours, same_address(listener)))
        problem = listen_problem(listener);
      seen.push_back(listener);
      if (!problem.empty()) {
        problems +=
            (problems.empty() ? "" : "\n") + std::string(key) + ": " + listener.address() + ": " + problem;
      }
    }
  };
  std::vector<Listener> ours;
  if (running != nullptr) {
    for (const auto* list : {&running->proxy_listen, &running->admin_listen, &running->status_listen}) {
      ours.insert(ours.end(), list->begin(), list->end());
    }
    if (running->log_service) ours.push_back(running->logs_listen);
  }
  look("proxy_listen", settings.proxy_listen, ours);
  look("admin_listen", settings.admin_listen, ours);
  look("status_listen", settings.status_listen, ours);
  if (settings.log_service) look("logs_listen", {settings.logs_listen}, ours);
  if (!problems.empty()) return Error{problems, ""};
  return {};
}

Result<std::vector<std::string>> check_all(const Settings& settings) {
  if (Status tried = plugin::Registry::try_load(settings.plugins, settings.plugin_path); !tried) return tried.error();
  const std::string database = Paths::of(settings.prefix).database;
  // A prefix of its own, so that what runs in the real one is not disturbed.
  std::string folder = (std::filesystem::temp_directory_path() / "gibbon-check-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return Error{"could not make a folder in " + folder, ""};
  Settings trial = settings;
  trial.prefix = trial.effective["prefix"] = folder;
  const Paths paths = Paths::of(folder);
  Status status = prepare_prefix(trial, paths, paths.nginx_conf);
  if (status) status = test_nginx(paths, paths.nginx_conf);
  std::vector<std::string> notes;
  if (status) {
    auto checked = gibbon::agent::check(trial, database);
    if (checked) {
      notes = std::move(checked->notes);
    } else {
      status = checked.error();
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  std::filesystem::remove_all(paths.shared, ignored);
  remove_temporary(paths);
  if (!status) return status.error();
  return notes;
}

int check(const Options& options) {
  auto settings = Settings::load(options.conf, options.prefix, environ);
  if (!settings) return fail(settings.error());
  for (const std::string& note : settings->notes) say("Note: " + note);
  const auto checked = check_all(*settings);
  if (!checked) return fail(checked.error());
  for (const std::string& note : *checked) say("Note: " + note);
  say(settings->conf_file.empty() ? "configuration is valid"
                                  : "configuration at " + settings->conf_file + " is valid");
  return 0;
}

int health(const Options& options) {
  const auto paths = existing_prefix(options);
  if (!paths) return fail(paths.error());
  const auto settings = Settings::load_effective(paths->prefix);
  if (!settings) return fail(settings.error());
  struct Service {
    const char* line;
    std::string pid_file, mark;
  };
  std::vector<Service> services = {{"nginx.......", paths->pids + "/nginx.pid", paths->prefix},
                                   {"agent.......", paths->pids + "/agent.pid", paths->prefix}};
  if (settings->log_service) services.push_back({"logs........", paths->pids + "/logs.pid", paths->entries});
  std::size_t running = 0;
  for (const auto& [line, pid_file, mark] : services) {
    const bool up = running_pid(pid_file, mark).has_value();
    running += up ? 1 : 0;
    say(std::string(line) + (up ? "running" : "not running"));
  }
  say("");
  if (running == 0) return fail({"Gibbon is not running at " + paths->prefix, ""});
  if (running < services.size()) return fail({"some services are not running at " + paths->prefix, ""});
  say("Gibbon is healthy at " + paths->prefix);
  return 0;
}

int version(Detail detail) {
  if (detail == Detail::kOwn) {
    say(kVersion);
    return 0;
  }
  say(std::string("Gibbon: ") + kVersion);
  say(std::string("Kong (emulated): ") + kKongVersion);
  const auto nginx = run({kNginx, "-v"});
  const std::string text = nginx ? std::string(settings::trim(nginx->text)) : "not found";
  const auto slash = text.rfind('/');
  say("nginx: " + (slash == std::string::npos ? text : text.substr(slash + 1)));
  return 0;
}

int agent(const Options& options) {
  const auto settings = Settings::load_effective(options.prefix);
  if (!settings) return fail(settings.error());
  return gibbon::agent::run(*settings, Paths::of(settings->prefix));
}

}  // namespace gibbon::app
