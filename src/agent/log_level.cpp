#include "agent/log_level.hpp"

#include <iterator>

#include "agent/log.hpp"

namespace gibbon::agent {
namespace {

constexpr std::string_view kLevels[] = {"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"};

}  // namespace

LogLevel::LogLevel(std::string configured, config::ControlPage& page) : page_(page), configured_(std::move(configured)) {
  page_.log_level.store(0);
  thread_ = std::thread([this] { run(); });
}

LogLevel::~LogLevel() {
  {
    const std::lock_guard lock(lock_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  page_.log_level.store(0);
}

std::uint32_t LogLevel::number(std::string_view level) {
  for (std::size_t i = 0; i < std::size(kLevels); ++i)
    if (kLevels[i] == level) return static_cast<std::uint32_t>(i + 1);
  return 0;
}

void LogLevel::apply(const std::string& level, std::uint32_t for_workers) {
  set_log_level(level);
  page_.log_level.store(for_workers);
}

void LogLevel::configure(std::string level) {
  const std::lock_guard lock(lock_);
  configured_ = std::move(level);
  if (chosen_.empty()) apply(configured_, 0);
}

void LogLevel::set(std::string level, std::chrono::seconds duration) {
  {
    const std::lock_guard lock(lock_);
    chosen_ = std::move(level);
    until_ = std::chrono::steady_clock::now() + duration;
    apply(chosen_, number(chosen_));
  }
  changed_.notify_one();
}

std::string LogLevel::current() const {
  const std::lock_guard lock(lock_);
  return chosen_.empty() ? configured_ : chosen_;
}

void LogLevel::run() {
  std::unique_lock lock(lock_);
  while (!stopping_) {
    if (chosen_.empty()) {
      changed_.wait(lock);
    } else if (std::chrono::steady_clock::now() < until_) {
      changed_.wait_until(lock, until_);
    } else {
      chosen_.clear();
      apply(configured_, 0);
    }
  }
}

}  // namespace gibbon::agent
