// gibbon: the gateway's command line.
#include <CLI/CLI.hpp>
#include <functional>

#include "app/commands.hpp"
#include "app/config_command.hpp"
#include "app/logs_command.hpp"
#include "app/plugins_command.hpp"
#include "base/version.hpp"

namespace {

using gibbon::app::Options;
using gibbon::app::Verbosity;

/// The flags that Kong's commands share.
void add_flags(CLI::App* command, Options& options) {
  command->add_option("-c,--conf", options.conf, "Configuration file");
  command->add_option("-p,--prefix", options.prefix, "Folder of this gateway");
  command->add_flag_callback(
      "--v", [&options] { options.verbosity = Verbosity::kVerbose; }, "Verbose output");
  command->add_flag_callback(
      "--vv", [&options] { options.verbosity = Verbosity::kDebug; }, "Debug output");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Gibbon: an API gateway that remembers.", "gibbon"};
  app.set_version_flag("--version", gibbon::kVersion);
  app.require_subcommand(1);
  app.footer(
      "Every command takes -h. Settings are Kong's, from a file and from KONG_* and GIBBON_* variables.");

  Options options;
  std::function<int()> chosen;
  const auto command = [&](const char* name, const char* text, std::function<int()> action) {
    CLI::App* sub = app.add_subcommand(name, text);
    add_flags(sub, options);
    sub->callback([&chosen, action = std::move(action)] { chosen = action; });
    return sub;
  };

  command("start", "Start the gateway, and wait until it answers",
          [&] { return gibbon::app::start(options); });
  command("stop", "Stop it at once", [&] { return gibbon::app::stop(options); });
  command("restart", "Stop it, and start it with the settings of today",
          [&] { return gibbon::app::restart(options); });
  command("reload", "Take changed settings in, without losing a request",
          [&] { return gibbon::app::reload(options); });
  command("prepare", "Write the prefix, and start nothing", [&] { return gibbon::app::prepare(options); });
  command("health", "Say which programs run", [&] { return gibbon::app::health(options); });

  double timeout_s = 10, wait_s = 0;
  CLI::App* quit = command("quit", "Stop it once all requests are answered",
                           [&] { return gibbon::app::quit(options, timeout_s, wait_s); });
  quit->add_option("-t,--timeout", timeout_s, "Seconds until it is stopped at once")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  quit->add_option("-w,--wait", wait_s, "Seconds before it begins to stop")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();

  CLI::App* check =
      command("check", "Check the settings, and change nothing", [&] { return gibbon::app::check(options); });
  check->add_option("conf", options.conf, "Configuration file");

  std::string reference;
  CLI::App* vault = app.add_subcommand("vault", "Look up secrets in the environment");
  vault->require_subcommand(1);
  CLI::App* vault_get = vault->add_subcommand("get", "Print the secret that a reference names");
  vault_get->add_option("reference", reference, "{vault://env/NAME}, or env/NAME")->required();
  vault_get->callback([&] { chosen = [&] { return gibbon::app::vault_get(reference); }; });

  gibbon::app::ConfigArguments config;
  CLI::App* config_command = app.add_subcommand("config", "Use declarative configuration files");
  add_flags(config_command, options);
  gibbon::app::add_config_commands(config_command, config);
  config_command->callback([&] { chosen = [&] { return gibbon::app::run_config(options, config); }; });

  gibbon::app::PluginsArguments plugins;
  CLI::App* plugins_command = app.add_subcommand("plugins", "List plugins, and begin one");
  add_flags(plugins_command, options);
  gibbon::app::add_plugins_commands(plugins_command, plugins);
  plugins_command->callback([&] { chosen = [&] { return gibbon::app::run_plugins(options, plugins); }; });

  bool all = false;
  CLI::App* version = command("version", "Print the version", [&] {
    return gibbon::app::version(all ? gibbon::app::Detail::kAll : gibbon::app::Detail::kOwn);
  });
  version->add_flag("-a,--all", all, "And those of what it builds on");

  command("agent", "Run the agent of a started gateway, in the foreground",
          [&] { return gibbon::app::agent(options); })
      ->get_option("--prefix")
      ->required();
  gibbon::app::LogsArguments logs;
  CLI::App* logs_command = app.add_subcommand("logs", "Run the log service, in the foreground");
  gibbon::app::add_logs_arguments(logs_command, logs);
  logs_command->callback([&] { chosen = [&] { return gibbon::app::run_logs(logs); }; });

  std::string directory;
  CLI::App* reference_command = app.add_subcommand("reference", "Write the reference pages");
  reference_command->add_option("directory", directory, "Where they go")->required();
  reference_command->callback([&] { chosen = [&] { return gibbon::app::write_reference(directory); }; });
  reference_command->group("");

  int ready_fd = -1;
  CLI::App* supervise = command("supervise", "Keep a prepared gateway running, in the foreground",
                                [&] { return gibbon::app::supervise(options, ready_fd); });
  supervise->add_option("--ready-fd", ready_fd)->group("");
  supervise->get_option("--prefix")->required();
  supervise->group("");

  CLI11_PARSE(app, argc, argv);
  return chosen();
}
