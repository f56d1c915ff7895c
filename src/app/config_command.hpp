#pragma once

#include <string>

#include "app/commands.hpp"

namespace CLI {
class App;
}

namespace gibbon::app {

/// `gibbon config COMMAND [FILE]`.
struct ConfigArguments {
  enum class Command { kInit, kParse, kImport, kExport } command = Command::kParse;
  std::string file;
};

/// init, parse, import and export, and the names that Kong has for them.
void add_config_commands(CLI::App* config, ConfigArguments& arguments);
/// Returns the exit code.
int run_config(const Options& options, const ConfigArguments& arguments);

}  // namespace gibbon::app
