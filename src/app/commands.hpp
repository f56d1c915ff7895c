#pragma once

#include <string>
#include <vector>

#include "base/paths.hpp"
#include "base/result.hpp"
#include "config/settings.hpp"

/// What `gibbon <command>` does. Every command returns the exit code; messages are in Kong's style.
namespace gibbon::app {

enum class Verbosity { kNormal, kVerbose, kDebug };

/// What most commands take.
struct Options {
  std::string conf;    ///< -c FILE; empty: the default places.
  std::string prefix;  ///< -p PREFIX; empty: as the settings say.
  Verbosity verbosity = Verbosity::kNormal;
};

int start(const Options& options);
int restart(const Options& options);
int stop(const Options& options);
int quit(const Options& options, double timeout_s, double wait_s);
int reload(const Options& options);
int prepare(const Options& options);
int check(const Options& options);
int health(const Options& options);
/// Prints the secret that a reference names, as this process's environment has it: "{vault://env/x}" or "env/x".
int vault_get(const std::string& reference);

/// Writes the reference pages (docs/reference) into a folder.
int write_reference(const std::string& directory);

enum class Detail { kOwn, kAll };
int version(Detail detail);

/// The agent in the foreground, with the settings of a started gateway.
int agent(const Options& options);
/// The supervisor in the foreground; `start` puts it into the background. It writes "ok" or the reason why
/// not to `ready_fd` (-1: to standard output and error) once it is known.
int supervise(const Options& options, int ready_fd);

/// Prints "Error: ..." and returns 1.
int fail(const Error& error);
void say(const std::string& text);
/// Prints where `options` asks for it.
void say_verbose(const Options& options, const std::string& text);

/// The prefix that `options` names, or that the settings do. Errors: there is no such folder.
Result<Paths> existing_prefix(const Options& options);
/// The addresses that other programs hold, all in one message. `running`: those that are ours already.
Status check_addresses(const Settings& settings, const Settings* running);
/// Settings, nginx configuration, declarative file or database, and plugins, without touching the prefix. Gives
/// what a start would do that an operator should know.
Result<std::vector<std::string>> check_all(const Settings& settings);

}  // namespace gibbon::app
