#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/paths.hpp"
#include "config/settings.hpp"

/// Looking at a gateway from outside: who listens, and what shared memory says.
namespace gibbon::app {

/// Whether somebody accepts connections there.
bool accepts(const Listener& listener);

/// Why this process could not listen there: "address already in use"; empty where it could.
std::string listen_problem(const Listener& listener);

/// What the control page says; zeros where there is none yet.
struct ControlView {
  std::uint64_t generation = 0;
  struct Worker {
    pid_t pid;
    std::uint64_t applied;
  };
  std::vector<Worker> workers;  ///< Living processes alone.
};
ControlView look_at_control(const Paths& paths);
/// Before a gateway begins: what an earlier one that ended without a word was told for its own time is forgotten.
void forget_passing_state(const Paths& paths);

/// The parent of a process; 0 where it is gone.
pid_t parent_of(pid_t pid);

}  // namespace gibbon::app
