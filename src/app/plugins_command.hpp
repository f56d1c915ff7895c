#pragma once

#include <string>

#include "app/commands.hpp"

namespace CLI {
class App;
}

namespace gibbon::app {

/// `gibbon plugins COMMAND`.
struct PluginsArguments {
  enum class Command { kList, kShow, kNew } command = Command::kList;
  std::string name;
  std::string directory = ".";  ///< Where `new` makes its folder.
};

/// list, show and new.
void add_plugins_commands(CLI::App* plugins, PluginsArguments& arguments);
/// Returns the exit code.
int run_plugins(const Options& options, const PluginsArguments& arguments);

/// Makes `directory`/`name`: a plugin that does little, with a test and a script that builds it. Errors: the name is none,
/// the folder exists, or it cannot be written.
Result<std::string> make_plugin_folder(const std::string& name, const std::string& directory);

}  // namespace gibbon::app
