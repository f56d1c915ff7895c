#include "app/plugins_command.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "plugin/registry.hpp"
#include "schema/reference.hpp"

namespace gibbon::app {
namespace {

using Command = PluginsArguments::Command;

std::string phases_of(const PluginDescriptor& plugin) {
  std::string phases;
  const auto add = [&phases](bool has, const char* name) {
    if (has) phases.append(phases.empty() ? "" : ",").append(name);
  };
  add(plugin.init_worker != nullptr, "init_worker");
  add(plugin.configure != nullptr, "configure");
  add(plugin.certificate != nullptr, "certificate");
  add(plugin.rewrite != nullptr, "rewrite");
  add(plugin.access != nullptr, "access");
  add(plugin.response != nullptr, "response");
  add(plugin.header_filter != nullptr, "header_filter");
  add(plugin.body_filter != nullptr, "body_filter");
  add(plugin.log != nullptr, "log");
  return phases.empty() ? "-" : phases;
}

/// The file that a plugin was loaded from.
std::string file_of(const PluginDescriptor& plugin) {
  Dl_info info{};
  return ::dladdr(&plugin, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "-";
}

const char* policy_of(const PluginDescriptor& plugin) {
  return plugin.failure_policy == FailurePolicy::kOpen ? "open" : "closed";
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    say(line);
  }
}

int list(const plugin::Registry& plugins) {
  std::vector<std::vector<std::string>> rows = {{"NAME", "VERSION", "PRIORITY", "ON FAILURE", "PHASES", "FILE"}};
  for (const PluginDescriptor* plugin : plugins.all())
    rows.push_back({plugin->name, plugin->version, std::to_string(plugin->priority), policy_of(*plugin),
                    phases_of(*plugin), file_of(*plugin)});
  print_table(rows);
  return 0;
}

int show(const plugin::Registry& plugins, const std::string& name) {
  const PluginDescriptor* plugin = plugins.find(name);
  if (plugin == nullptr)
    return fail({"the configuration loads no plugin '" + name + "'; see `gibbon plugins list`", ""});
  print_table({{"name", plugin->name},
               {"version", plugin->version},
               {"priority", std::to_string(plugin->priority)},
               {"on failure", policy_of(*plugin)},
               {"phases", phases_of(*plugin)},
               {"file", file_of(*plugin)}});
  say("");
  say(schema::reference_of_plugin(plugin->schema()));
  return 0;
}

}  // namespace

void add_plugins_commands(CLI::App* plugins, PluginsArguments& arguments) {
  plugins->require_subcommand(1);
  const auto add = [&](Command command, const char* name, const char* text) {
    CLI::App* sub = plugins->add_subcommand(name, text);
    sub->fallthrough();
    sub->callback([&arguments, command] { arguments.command = command; });
    return sub;
  };
  add(Command::kList, "list", "List the plugins that the configuration loads, in the order in which they run");
  add(Command::kShow, "show", "Show a plugin and the fields of its configuration")
      ->add_option("name", arguments.name, "The plugin")
      ->required();
  CLI::App* make = add(Command::kNew, "new", "Make a folder with a plugin to begin with, its test and its build script");
  make->add_option("name", arguments.name, "The plugin")->required();
  make->add_option("--dir", arguments.directory, "Where the folder is made")->capture_default_str();
}

int run_plugins(const Options& options, const PluginsArguments& arguments) {
  if (arguments.command == Command::kNew) {
    const auto folder = make_plugin_folder(arguments.name, arguments.directory);
    if (!folder) return fail(folder.error());
    say("Made " + *folder + ". Build and test it: " + *folder + "/build");
    return 0;
  }
  const bool is_running = options.conf.empty() && !options.prefix.empty() &&
                          ::access(Paths::of(options.prefix).settings.c_str(), F_OK) == 0;
  const auto settings =
      is_running ? Settings::load_effective(options.prefix) : Settings::load(options.conf, options.prefix, environ);
  if (!settings) return fail(settings.error());
  const auto plugins = plugin::Registry::load(settings->plugins, settings->plugin_path);
  if (!plugins) return fail(plugins.error());
  return arguments.command == Command::kList ? list(*plugins) : show(*plugins, arguments.name);
}

}  // namespace gibbon::app
