#include "app/logs_command.hpp"

#include <CLI/CLI.hpp>
#include <cmath>

#include "app/commands.hpp"
#include "base/installation.hpp"
#include "config/settings.hpp"
#include "logs/logs.hpp"

namespace gibbon::app {

void add_logs_arguments(CLI::App* command, LogsArguments& arguments) {
  command->add_option("--listen", arguments.listen,
                      "Address and port; may be given several times (127.0.0.1:3000)");
  command->add_option("--data", arguments.data, "Folder for the entries")->capture_default_str();
  command->add_option("--web", arguments.web, "Folder of the web page (the one that ships with Gibbon)");
  command->add_flag("--full-durability", arguments.full_durability,
                    "Wait for the disk before an entry is acknowledged");
  command->add_option("--max-size", arguments.max_size, "Size at which the oldest entries go; 0: never")
      ->capture_default_str();
  command->add_option("--max-age", arguments.max_age_days, "Days after which entries go; 0: never")
      ->check(CLI::Range(0.0, 1e5))
      ->capture_default_str();
}

int run_logs(const LogsArguments& arguments) {
  logs::Options options;
  if (!arguments.listen.empty()) options.listen.clear();
  for (const std::string& text : arguments.listen) {
    const auto listen = http::parse_listen(text);
    if (!listen) return fail({"--listen: " + listen.error().message, ""});
    options.listen.push_back(*listen);
  }
  const auto max_bytes = parse_size(arguments.max_size);
  if (!max_bytes)
    return fail({"--max-size must be a size, as 500m or 10g, got '" + arguments.max_size + "'", ""});
  options.max_bytes = *max_bytes;
  options.max_age = std::chrono::seconds(std::llround(arguments.max_age_days * 24 * 3600));
  options.durability = arguments.full_durability ? logs::Durability::kFull : logs::Durability::kNormal;
  options.data_directory = arguments.data;
  options.web_directory = arguments.web.empty() ? Installation::here().web : arguments.web;
  return logs::run(options);
}

}  // namespace gibbon::app
