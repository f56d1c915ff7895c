#include "app/config_command.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "agent/agent.hpp"
#include "agent/transfer.hpp"
#include "app/probe.hpp"
#include "app/process.hpp"

namespace gibbon::app {

namespace {

using namespace std::chrono_literals;
using Command = ConfigArguments::Command;

constexpr const char* kDefaultFile = "./kong.yml";
constexpr Milliseconds kWorkersPatience = 10s;

constexpr const char* kExample =
    R"(# A declarative configuration. `gibbon config parse FILE` checks it, `gibbon config import FILE` puts it into
# the database; with `database = off`, `declarative_config = FILE` starts the gateway with it.

# Which version of the format this is. Required.
_format_version: "3.0"

# Anywhere: a text, and a list of anything. Both are read over.
_comment: An example
_ignore: []

# Entities stand in lists, and may stand inside of what they belong to.
# services:
# - name: example
#   url: http://example.com
#   tags: [example]
#   routes:
#   - name: example
#     paths: [/example]
#   plugins:
#   - name: request-response-logger
#     config:
#       log_endpoint: http://127.0.0.1:3000/logs

# At the top they name what they belong to, or give its id.
# routes:
# - name: another
#   service: example
#   hosts: [another.example.com]

# upstreams:
# - name: example.internal
#   targets:
#   - target: 10.0.0.1:8000
#     weight: 100

# consumers:
# - username: somebody

# What belongs to two things at once stands at the top.
# plugins:
# - name: correlation-id
#   route: another
)";

std::string absolute(const std::string& file) {
  return std::filesystem::absolute(file).lexically_normal().string();
}

/// A file that nobody else may read, since configurations hold secrets.
Status write_new(const std::string& file, const std::string& text) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST) return Error{file + " already exists. Will not overwrite it.", ""};
  if (fd < 0) return Error{file + ": " + std::strerror(errno), ""};
  int failed = 0;
  for (std::size_t done = 0; done < text.size() && failed == 0;) {
    const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count >= 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      failed = errno;
    }
  }
  if (failed == 0 && ::fsync(fd) != 0 && errno != EINVAL && errno != EROFS) failed = errno;
  ::close(fd);
  if (failed == 0) return {};
  ::unlink(file.c_str());
  return Error{file + ": " + std::strerror(failed), ""};
}

/// The settings of the gateway in the prefix where it was started once, else those of today.
Result<Settings> settings_in_effect(const Options& options) {
  auto settings = Settings::load(options.conf, options.prefix, environ);
  if (!settings) return settings;
  if (::access(Paths::of(settings->prefix).settings.c_str(), F_OK) != 0) return settings;
  return Settings::load_effective(settings->prefix);
}

int import(const Settings& settings, const std::string& file) {
  const Paths paths = Paths::of(settings.prefix);
  const auto agent = running_pid(paths.pids + "/agent.pid", paths.prefix);
  const auto parsed = gibbon::agent::parse_file(settings, file);
  if (!parsed) return fail({"Failed parsing:\n" + parsed.error().message, ""});
  say("parse successful, beginning import");
  const auto before = look_at_control(paths).generation;
  const auto imported = gibbon::agent::import_file(
      *parsed, paths, agent ? gibbon::agent::Agent::kRunning : gibbon::agent::Agent::kAbsent);
  if (!imported) return fail({"Failed importing:\n" + imported.error().message, ""});
  say("import successful");
  if (!agent || *imported == gibbon::agent::Imported::kNothing) return 0;
  ::kill(*agent, gibbon::agent::kStoreChanged);
  const bool applied = wait_until(
      [&] {
        const auto now = look_at_control(paths);
        return now.generation > before &&
               std::ranges::all_of(now.workers, [&](const auto& w) { return w.applied >= now.generation; });
      },
      kWorkersPatience);
  if (!applied) say("Note: the running gateway does not use it yet; see " + paths.logs + "/agent.log");
  return 0;
}

int export_to(const Settings& settings, const std::string& file) {
  const auto text = gibbon::agent::export_store(settings, Paths::of(settings.prefix));
  if (!text) return fail(text.error());
  if (file == "-") {
    std::cout << *text << std::flush;
    return std::cout ? 0 : fail({"cannot write to standard output", ""});
  }
  if (Status written = write_new(absolute(file), *text); !written) return fail(written.error());
  return 0;
}

}  // namespace

void add_config_commands(CLI::App* config, ConfigArguments& arguments) {
  config->require_subcommand(1);
  const auto add = [&](Command command, const char* name, const char* text) {
    CLI::App* sub = config->add_subcommand(name, text);
    sub->fallthrough();
    sub->add_option("file", arguments.file, "Declarative configuration file");
    sub->callback([&arguments, command] { arguments.command = command; });
    return sub;
  };
  add(Command::kInit, "init", "Write an example file (./kong.yml)");
  add(Command::kParse, "parse", "Check a file, and change nothing");
  CLI::App* import =
      add(Command::kImport, "import", "Put a file's entities into the database (Kong: db_import)");
  for (const char* name : {"db_import", "db-import"}) import->alias(name);
  CLI::App* dump = add(Command::kExport, "export",
                       "Write the database to a file (./kong.yml, - for standard output; Kong: db_export)");
  for (const char* name : {"db_export", "db-export"}) dump->alias(name);
}

int run_config(const Options& options, const ConfigArguments& arguments) {
  const std::string file = arguments.file.empty() ? kDefaultFile : arguments.file;
  if (arguments.command == Command::kInit) {
    const Status written = write_new(absolute(file), kExample);
    return written ? 0 : fail(written.error());
  }
  const auto settings = settings_in_effect(options);
  if (!settings) return fail(settings.error());
  if (arguments.command == Command::kImport && settings->database == "off") {
    return fail(
        {"'gibbon config import' only works with a database.\n"
         "When using database=off, reload your declarative configuration\nusing the /config endpoint.",
         ""});
  }
  if (arguments.command == Command::kExport) {
    if (settings->database == "off") return fail({"'gibbon config export' only works with a database.", ""});
    return export_to(*settings, file);
  }
  if (arguments.file.empty())
    return fail({"expected a declarative configuration file; see `gibbon config --help`", ""});
  if (arguments.command == Command::kImport) return import(*settings, absolute(file));
  const auto parsed = gibbon::agent::parse_file(*settings, absolute(file));
  if (!parsed) return fail({"Failed parsing:\n" + parsed.error().message, ""});
  say("parse successful");
  return 0;
}

}  // namespace gibbon::app
