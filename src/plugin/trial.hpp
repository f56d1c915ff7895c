#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace gibbon::plugin {

/// A plugin that is to be loaded.
struct Found {
  std::string name;
  std::string file;     ///< Empty where there is none.
  std::string problem;  ///< Why it cannot be loaded, as a whole line; empty: nothing is known against it.

  /// "plugin 'name' (file): what"
  [[nodiscard]] std::string say(const std::string& what) const {
    return "plugin '" + name + "' (" + file + "): " + what;
  }
};

/// Calls `load` for each plugin that has no problem yet, in child processes that end afterwards, and sets the problems
/// that it finds: what `load` says, what it lets escape, a crash (with what was written to standard error), and one
/// that takes more than 20 s. Most often one child does for all. Threads: any, but forks.
void try_in_children(std::vector<Found>& plugins, const std::function<Status(const Found&)>& load);

}  // namespace gibbon::plugin
