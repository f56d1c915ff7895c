#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace gibbon::app {

/// One program that the supervisor keeps running: its own child, or one that an earlier supervisor left
/// behind.
class Child {
 public:
  using Clock = std::chrono::steady_clock;

  struct Program {
    std::string name;  ///< "nginx": for messages.
    std::vector<std::string> command;
    std::string pid_file;
    std::string log;   ///< Where its standard output and error go.
    std::string mark;  ///< A word of its command line by which it is known again.
  };

  explicit Child(Program program) : program_(std::move(program)) {}

  /// Takes over the process that the pid file names, where it is running. False where there is none.
  bool adopt();
  /// Starts the program. Errors: it could not be started.
  Status start();
  /// Whether it is running. Where it has ended since the last call, `ending` says how.
  bool check();
  void signal(int number) const;

  /// When it may be started again after it ended: at once, later the more often it ends soon after its start.
  [[nodiscard]] Clock::time_point restart_at() const;
  [[nodiscard]] Clock::time_point ended_at() const { return ended_; }
  /// Forgets the ended process and its pid file.
  void forget();

  [[nodiscard]] const Program& program() const { return program_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running() const { return pid_ > 0; }
  [[nodiscard]] bool adopted() const { return adopted_; }
  [[nodiscard]] const std::string& ending() const { return ending_; }

 private:
  void ended(std::string how);

  Program program_;
  pid_t pid_ = 0;  ///< 0: not running.
  bool adopted_ = false;
  std::string ending_;
  Clock::time_point started_{}, ended_{};
  unsigned early_ends_ = 0;
};

}  // namespace gibbon::app
