#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace gibbon {

/// When a handler runs: Kong's phases, and a background task.
enum class Phase : std::uint8_t {
  kInitWorker,    ///< A worker has started.
  kConfigure,     ///< A new generation of the configuration is in use.
  kCertificate,   ///< TLS handshake; global configurations alone.
  kRewrite,       ///< Before the route is known; global configurations alone.
  kAccess,        ///< The route is known, the upstream not yet called.
  kResponse,      ///< The upstream's whole answer is held; nothing was sent to the client.
  kHeaderFilter,  ///< The answer's head, before it is sent.
  kBodyFilter,    ///< A piece of the answer's body, before it is sent.
  kLog,           ///< The exchange is over.
  kTimer,         ///< A background task.
};

/// "access", as handlers' methods are called.
constexpr const char* phase_name(Phase phase) {
  constexpr const char* kNames[] = {"init_worker", "configure",     "certificate", "rewrite", "access",
                                    "response",    "header_filter", "body_filter", "log",     "timer"};
  return kNames[static_cast<std::size_t>(phase)];
}

/// A set of phases.
class Phases {
 public:
  constexpr Phases(std::initializer_list<Phase> phases) {
    for (const Phase phase : phases) bits_ |= bit(phase);
  }
  [[nodiscard]] constexpr bool has(Phase phase) const { return (bits_ & bit(phase)) != 0; }

 private:
  static constexpr std::uint16_t bit(Phase phase) { return static_cast<std::uint16_t>(1U << static_cast<unsigned>(phase)); }
  std::uint16_t bits_ = 0;
};

/// Thrown by a function of the kit that was called in a phase in which it has no meaning.
class PhaseError : public std::logic_error {
 public:
  /// "set_path() cannot be called in log phase (only in: access)"
  PhaseError(const char* function, Phase phase, Phases allowed)
      : std::logic_error(text(function, phase, allowed)) {}

 private:
  static std::string text(const char* function, Phase phase, Phases allowed) {
    std::string list;
    for (int i = 0; i <= static_cast<int>(Phase::kTimer); ++i)
      if (allowed.has(static_cast<Phase>(i))) list.append(list.empty() ? "" : ", ").append(phase_name(static_cast<Phase>(i)));
    return std::string(function) + "() cannot be called in " + phase_name(phase) + " phase (only in: " + list + ")";
  }
};

}  // namespace gibbon
