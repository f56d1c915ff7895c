#pragma once

#include <algorithm>
#include <chrono>

#include "gateway/nginx/ngx.hpp"

namespace gibbon::nginx {

/// For nginx's timers.
inline ngx_msec_t to_msec(std::chrono::milliseconds time) {
  return static_cast<ngx_msec_t>(std::clamp<std::int64_t>(time.count(), 0, NGX_MAX_INT32_VALUE));
}

/// What is left of a time that began to run when this was made; by nginx's cached clock. Event thread.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds time) : end_(ngx_current_msec + to_msec(time)) {}
  [[nodiscard]] std::chrono::milliseconds left() const {
    return std::chrono::milliseconds(std::max<ngx_msec_int_t>(0, static_cast<ngx_msec_int_t>(end_ - ngx_current_msec)));
  }

 private:
  ngx_msec_t end_;
};

}  // namespace gibbon::nginx
