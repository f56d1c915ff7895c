#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "config/control.hpp"

namespace gibbon::agent {

/// The log level of the agent and of the workers, which an operator may change for a while. Threads: any.
class LogLevel {
 public:
  /// `configured`: what the settings say. `page` must outlive it.
  LogLevel(std::string configured, config::ControlPage& page);
  ~LogLevel();

  /// A reload.
  void configure(std::string level);
  /// `level` until `duration` is over, then what is configured. The workers follow within a second.
  void set(std::string level, std::chrono::seconds duration);
  [[nodiscard]] std::string current() const;
  /// Kong's levels and nginx's numbers for them; 0: no such level.
  static std::uint32_t number(std::string_view level);

 private:
  void run();
  void apply(const std::string& level, std::uint32_t for_workers);

  config::ControlPage& page_;
  mutable std::mutex lock_;
  std::condition_variable changed_;
  std::string configured_, chosen_;  ///< chosen_: empty where nothing was changed.
  std::chrono::steady_clock::time_point until_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace gibbon::agent
