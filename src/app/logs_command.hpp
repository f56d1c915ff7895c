#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace gibbon::app {

/// What `gibbon logs` takes on its command line.
struct LogsArguments {
  std::vector<std::string> listen;  ///< "127.0.0.1:3000"; empty: that.
  std::string data = "./gibbon-logs";
  std::string web;  ///< Empty: the page that ships with Gibbon.
  bool full_durability = false;
  std::string max_size = "10g";
  double max_age_days = 0;
};

/// Adds the arguments to the command. `arguments` is filled when the command line is parsed.
void add_logs_arguments(CLI::App* command, LogsArguments& arguments);

/// Runs the log service until a signal ends it. Returns the exit code.
int run_logs(const LogsArguments& arguments);

}  // namespace gibbon::app
