// What a worker does for its upstreams: it follows each new configuration even while it is idle, keeps names
// and health fresh, and, where it is the one that leads, probes and tells the agent of the targets.

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "gateway/nginx/worker.hpp"

namespace gibbon::nginx {
namespace {

/// How often names, health and what the agent shows are looked after, in milliseconds.
constexpr ngx_msec_t kTickMs = 500;

void tick(ngx_event_t* timer) noexcept {
  auto& worker = *static_cast<Worker*>(timer->data);
  try {
    worker.look_after_upstreams();
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_ERR, timer->log, 0, "gibbon: looking after the upstreams: %s", e.what());
  }
  if (!ngx_exiting) ngx_add_timer(timer, kTickMs);
}

void loader_called(ngx_event_t* event) noexcept {
  const auto* connection = static_cast<ngx_connection_t*>(event->data);
  std::uint64_t count = 0;
  [[maybe_unused]] const auto n = read(connection->fd, &count, sizeof count);
  static_cast<Worker*>(connection->data)->take_next_runtime();
}

}  // namespace

void Worker::start_upstream_timer() {
  tick_timer_.handler = tick;
  tick_timer_.data = this;
  tick_timer_.log = log_;
  tick_timer_.cancelable = 1;  // A worker that shuts down does not wait for it.
  ngx_add_timer(&tick_timer_, kTickMs);
}

void Worker::watch_loader() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) {
    ngx_log_error(NGX_LOG_ERR, log_, errno, "gibbon: eventfd");
    return;
  }
  wakeup_ = ngx_get_connection(fd, log_);
  if (wakeup_ == nullptr) {
    close(fd);
    return;
  }
  wakeup_->data = this;
  wakeup_->read->handler = loader_called;
  wakeup_->read->log = log_;
  wakeup_->read->channel = 1;  // nginx does not count it as left open.
  wakeup_->log = log_;
  if (ngx_add_event(wakeup_->read, NGX_READ_EVENT, 0) != NGX_OK) {
    ngx_close_connection(wakeup_);
    wakeup_ = nullptr;
  }
}

void Worker::take_next_runtime() {
  if (next_.load(std::memory_order_acquire) == nullptr) return;
  gateway::Runtime* before = current_;
  current_ = next_.exchange(nullptr, std::memory_order_acq_rel);
  background_.configure(conf_.registry, *current_);
  if (before != nullptr && before->references() == 0) retire(before);
  try {
    upstreams_->apply(*current_);
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_ERR, log_, 0, "gibbon: the upstreams cannot follow the configuration: %s",
                  e.what());
  }
}

void Worker::look_after_upstreams() {
  const bool ending = ngx_exiting != 0 || ngx_terminate != 0 || ngx_quit != 0;
  leads_ = !ending && health_ && health_->hold_lease();
  if (leads_) {
    probes_->start();
    tell_changed_targets();
  } else {
    probes_->stop();
    upstreams_->forget_told();
    if (ending && health_) health_->release_lease();
  }
  if (!ending) upstreams_->tick();
}

void Worker::tell_changed_targets() {
  if (!leads_) return;
  std::vector<Upstreams::Changed> changes = upstreams_->take_changes();
  if (changes.empty()) return;
  {
    const std::lock_guard lock(retired_mutex_);
    std::move(changes.begin(), changes.end(), std::back_inserter(told_));
  }
  wake_loader();
}

void Worker::write_told_targets() {
  std::vector<Upstreams::Changed> told;
  {
    const std::lock_guard lock(retired_mutex_);
    told.swap(told_);
  }
  for (const Upstreams::Changed& changed : told) {
    if (const Status status =
            config::save_target_views(conf_.shared_directory, changed.upstream_id, changed.views);
        !status)
      log_from_thread("error", status.error().message);
  }
}

}  // namespace gibbon::nginx
