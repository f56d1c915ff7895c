#pragma once

#include <coroutine>

#include "gateway/nginx/ngx.hpp"
#include "gibbon/phase.hpp"
#include "gibbon/plugin.hpp"

namespace gibbon::nginx {

/// On whose behalf a plugin's code runs: a request, a handshake or a background task. Event thread.
class Caller {
 public:
  /// The plugin whose code runs; null where none does.
  [[nodiscard]] virtual const PluginDescriptor* plugin() const = 0;
  [[nodiscard]] virtual Phase phase() const = 0;
  [[nodiscard]] virtual ngx_log_t* log() const = 0;
  /// Goes on with a coroutine whose operation is over. For the event loop alone: never from within the coroutine. The
  /// operation may be gone when it returns.
  virtual void resume(std::coroutine_handle<> waiting) noexcept = 0;

  /// Throws PhaseError.
  void require(const char* function, Phases allowed) const {
    if (!allowed.has(phase())) [[unlikely]] throw PhaseError(function, phase(), allowed);
  }

 protected:
  ~Caller() = default;
};

inline constexpr Phases kEveryRequestPhase = {Phase::kRewrite,      Phase::kAccess,     Phase::kResponse,
                                              Phase::kHeaderFilter, Phase::kBodyFilter, Phase::kLog};
inline constexpr Phases kWaitingPhases = {Phase::kRewrite, Phase::kAccess, Phase::kResponse, Phase::kTimer,
                                          Phase::kInitWorker};

}  // namespace gibbon::nginx
