#pragma once

#include <cstdint>

#include "config/entities.hpp"

/// What is known of one address's health, in one word, and how reports change it: as Kong counts.
namespace gibbon::config {

/// Four counters and a state in 64 bits, so that processes can change it with one compare-and-swap. Zero:
/// healthy, nothing counted.
class Health {
 public:
  /// The "mostly" states: something was counted against the state, but not enough to leave it.
  enum class State : std::uint8_t { kHealthy, kMostlyHealthy, kUnhealthy, kMostlyUnhealthy };
  enum class Event : std::uint8_t { kSuccess, kHttpFailure, kTcpFailure, kTimeout };

  constexpr Health() = default;
  constexpr explicit Health(std::uint64_t word) : word_(word) {}
  /// As an operator sets it: the counters begin anew.
  static constexpr Health forced(State state) { return Health(static_cast<std::uint64_t>(state) << 32); }

  [[nodiscard]] constexpr std::uint64_t word() const { return word_; }
  [[nodiscard]] constexpr State state() const { return static_cast<State>((word_ >> 32) & 3); }
  [[nodiscard]] constexpr std::uint8_t count(Event event) const {
    return static_cast<std::uint8_t>(word_ >> shift(event));
  }
  /// The address may be picked.
  [[nodiscard]] constexpr bool available() const {
    return state() == State::kHealthy || state() == State::kMostlyHealthy;
  }

  /// What it is after `event`, which changes the state once it was counted `limit` times; 0: it counts
  /// nothing. A success forgets all failures, a failure all successes. Nothing is counted towards a state
  /// that is reached.
  [[nodiscard]] Health after(Event event, std::uint32_t limit) const;
  bool operator==(const Health&) const = default;

 private:
  static constexpr unsigned shift(Event event) { return 8 * static_cast<unsigned>(event); }
  std::uint64_t word_ = 0;
};

/// An event and how often it takes to change the state.
struct HealthReport {
  Health::Event event;
  std::uint32_t limit;  ///< 0: nothing to report.
};

/// What an answer's status means to `check`; 0: no HTTP was spoken. A limit of 0 where the status is in
/// neither list.
HealthReport status_report(const Healthcheck& check, int status);

/// Whether anything can change the health of the upstream's addresses: Kong's condition, by which passive
/// successes alone are nothing. Otherwise every address counts as healthy.
bool has_health_checks(const Upstream& upstream);

}  // namespace gibbon::config
