#include "gateway/nginx/worker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/give_way.hpp"
#include "config/snapshot.hpp"

namespace gibbon::nginx {
namespace {

Worker* the_worker = nullptr;

/// How long a retired runtime may wait for its destruction, in milliseconds: the loader looks again after that.
constexpr int kRetireCheckMs = 1000;

/// How often nginx's connection counters are copied while nothing else happens, in milliseconds.
constexpr ngx_msec_t kCountersEveryMs = 1000;

void copy_counters(ngx_event_t* timer) noexcept {
  static_cast<Worker*>(timer->data)->publish_counters();
  static_cast<Worker*>(timer->data)->follow_log_level();
  if (!ngx_exiting) ngx_add_timer(timer, kCountersEveryMs);
}

void log_line(ngx_uint_t level, ngx_log_t* log, const char* what, const std::string& detail) {
  ngx_log_error(level, log, 0, "gibbon: %s: %s", what, detail.c_str());
}

}  // namespace

void Worker::log_from_thread(const char* level, const std::string& text) const {
  const std::string line = std::string("gibbon [") + level + "] " + std::to_string(ngx_pid) + "#loader: " + text + "\n";
  if (log_->file != nullptr) [[maybe_unused]] const auto n = write(log_->file->fd, line.data(), line.size());
}

Worker* worker() { return the_worker; }

void start_worker(MainConf& conf, ngx_log_t* log) noexcept {
  try {
    the_worker = new Worker(conf, log);
    the_worker->start_plugins();
  } catch (const std::exception& e) {
    log_line(NGX_LOG_ALERT, log, "the worker could not start", e.what());
  }
}

void stop_worker() noexcept {
  delete the_worker;
  the_worker = nullptr;
}

Worker::Worker(MainConf& conf, ngx_log_t* log)
    : conf_(conf), log_(log), snapshots_(conf.shared_directory) {
  if (getrandom(random_, sizeof random_, 0) != sizeof random_) random_[0] = static_cast<std::uint64_t>(ngx_pid) | 1;

  auto ring = record::RingProducer::claim(conf.shared_directory, conf.ring_bytes);
  if (ring.ok()) {
    ring_.emplace(std::move(ring).value());
    slot_ = ring_->slot();
  } else {
    log_line(NGX_LOG_ERR, log, "no ring, so that nothing is recorded in this worker", ring.error().message);
  }
  auto health = config::HealthTable::open(conf.shared_directory);
  if (health.ok()) {
    health_.emplace(std::move(health).value());
  } else {
    log_line(NGX_LOG_ERR, log, "no health table, so that every target counts as healthy", health.error().message);
  }
  open_tables();
  upstreams_.emplace(conf, health_ ? &*health_ : nullptr, log);
  probes_.emplace(*upstreams_, conf, log);
  sockets_.emplace(conf);
  upstreams_->on_change([this] { tell_changed_targets(); });
  auto control = config::Control::open(conf.shared_directory);
  if (!control.ok()) {
    log_line(NGX_LOG_ERR, log, "no control page, so that changes do not arrive", control.error().message);
    return;
  }
  control_.emplace(std::move(control).value());

  const std::string fifo = config::wake_path(conf.shared_directory, slot_);
  if (mkfifo(fifo.c_str(), 0600) != 0 && errno != EEXIST) log_line(NGX_LOG_ERR, log, "mkfifo", fifo);
  // Both ends, so that it never reads as closed.
  fifo_ = open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  watch_loader();
  load_current();
  if (ring_) {
    page_ = &control_->page().workers[slot_];
    page_->applied.store(loaded_generation_, std::memory_order_relaxed);
    page_->pid.store(static_cast<std::uint32_t>(ngx_pid), std::memory_order_release);
  }

  counters_timer_.handler = copy_counters;
  counters_timer_.data = this;
  counters_timer_.log = log;
  counters_timer_.cancelable = 1;  // A worker that shuts down does not wait for it.
  ngx_add_timer(&counters_timer_, kCountersEveryMs);
  start_upstream_timer();

  sigset_t all, before;
  sigfillset(&all);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigdelset(&all, signal);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  loader_ = std::thread([this] { run_loader(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Worker::open_tables() {
  auto counters = gateway::CounterTable::open(conf_.shared_directory);
  if (counters.ok()) {
    counters_.emplace(std::move(counters).value());
  } else {
    log_line(NGX_LOG_ERR, log_, "no counters, so that plugins cannot count", counters.error().message);
  }
  for (const PluginDescriptor* plugin : conf_.registry.all()) {
    if (plugin->metrics == nullptr) continue;
    std::vector<record::MetricSource> sources;
    for (MetricFamily& family : plugin->metrics()) sources.push_back({plugin->name, std::move(family)});
    metric_sources_.emplace_back(plugin, std::move(sources));
  }
  if (!ring_) return;  // Whose slot it would be is not known.
  auto metrics = record::MetricWriter::open(conf_.shared_directory, slot_);
  if (metrics.ok()) {
    metrics_.emplace(std::move(metrics).value());
  } else {
    log_line(NGX_LOG_ERR, log_, "no metrics of plugins", metrics.error().message);
  }
}

void Worker::add_metric(const PluginDescriptor& plugin, std::size_t family, std::span<const std::string_view> labels,
                        double value) {
  for (const auto& [owner, sources] : metric_sources_) {
    if (owner != &plugin) continue;
    if (family >= sources.size()) break;
    if (metrics_) metrics_->add(sources[family], labels, value);
    return;
  }
  throw std::out_of_range("the plugin has no metric " + std::to_string(family));
}

void Worker::start_plugins() {
  background_.init_worker(conf_.registry);
  take_next_runtime();
  // What has been posted so early waits for no timer.
  first_turn_.handler = [](ngx_event_t*) {};
  first_turn_.log = log_;
  ngx_post_event(&first_turn_, &ngx_posted_next_events);
}

Worker::~Worker() {
  background_.stop();
  if (counters_timer_.timer_set) ngx_del_timer(&counters_timer_);
  if (tick_timer_.timer_set) ngx_del_timer(&tick_timer_);
  if (loader_.joinable()) {
    stopping_.store(true);
    wake_loader();
    loader_.join();
  }
  if (wakeup_ != nullptr) ngx_close_connection(wakeup_);
  probes_.reset();
  sockets_.reset();
  if (health_) health_->release_lease();
  if (page_ != nullptr) page_->pid.store(0, std::memory_order_release);
  if (fifo_ >= 0) close(fifo_);
  delete next_.load();
  if (current_ != nullptr && current_->references() == 0) delete current_;
  for (gateway::Runtime* runtime : to_retire_) delete runtime;
  destroy_retired();
}

void Worker::follow_log_level() {
  const std::uint32_t wanted = control_->page().log_level.load(std::memory_order_relaxed);
  if (wanted == log_level_) return;
  log_level_ = wanted;
  if (logs_.empty()) {
    const auto add = [&](ngx_log_t* log) {
      for (; log != nullptr; log = log->next) {
        const auto is_known = [&](const auto& known) { return known.first == log; };
        if (std::none_of(logs_.begin(), logs_.end(), is_known)) logs_.emplace_back(log, log->log_level);
      }
    };
    add(ngx_cycle->log);
    auto* cmcf = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_core_module));
    auto** servers = static_cast<ngx_http_core_srv_conf_t**>(cmcf->servers.elts);
    for (ngx_uint_t i = 0; i < cmcf->servers.nelts; ++i) {
      auto* clcf = static_cast<ngx_http_core_loc_conf_t*>(servers[i]->ctx->loc_conf[ngx_http_core_module.ctx_index]);
      add(clcf->error_log);
    }
  }
  for (const auto& [log, configured] : logs_) log->log_level = wanted == 0 ? configured : wanted;
}

void Worker::load_current() {
  const std::uint64_t generation = control_->page().generation.load(std::memory_order_acquire);
  if (generation == loaded_generation_ || generation == 0) return;
  auto snapshot = snapshots_.load(generation);
  if (!snapshot.ok()) return log_from_thread("error", "snapshot " + std::to_string(generation) + ": " + snapshot.error().message);
  auto runtime = gateway::Runtime::build(std::move(snapshot).value(), conf_.registry, &certificate_cache_);
  if (!runtime.ok()) return log_from_thread("error", "snapshot " + std::to_string(generation) + ": " + runtime.error().message);
  for (const Error& warning : runtime.value()->warnings()) log_from_thread("warn", warning.field + " " + warning.message);
  // One that the event thread never took is nobody's: destroyed here.
  delete next_.exchange(std::move(runtime).value().release(), std::memory_order_acq_rel);
  // An idle worker takes it over as well, so that its health checks follow.
  if (const std::uint64_t one = 1; wakeup_ != nullptr) [[maybe_unused]] const auto n = write(wakeup_->fd, &one, sizeof one);
  loaded_generation_ = generation;
  if (page_ != nullptr) page_->applied.store(generation, std::memory_order_release);
}

void Worker::run_loader() {
  pthread_setname_np(pthread_self(), "gibbon-loader");
  cpu_set_t every;
  CPU_ZERO(&every);
  for (int i = 0; i < CPU_SETSIZE; ++i) CPU_SET(i, &every);
  sched_setaffinity(0, sizeof every, &every);  // nginx may have pinned the worker; this thread need not share its core.
  give_way();

  int patience = 0;  // How many more times to look for retired runtimes without having been woken.
  while (!stopping_.load()) {
    try {
      load_current();
      destroy_retired();
      write_told_targets();
    } catch (const std::exception& e) {
      log_from_thread("error", e.what());
    }
    pollfd wait{fifo_, POLLIN, 0};
    const int woken = poll(&wait, 1, patience > 0 ? kRetireCheckMs : -1);
    if (woken > 0) {
      char bytes[64];
      while (read(fifo_, bytes, sizeof bytes) > 0) {}
      patience = 60;
    } else {
      --patience;
    }
  }
}

void Worker::wake_loader() { [[maybe_unused]] const auto n = write(fifo_, "", 1); }

gateway::Runtime* Worker::acquire_runtime() {
  if (next_.load(std::memory_order_acquire) != nullptr) [[unlikely]] take_next_runtime();
  if (current_ != nullptr) current_->retain();
  return current_;
}

void Worker::release_runtime(gateway::Runtime* runtime) {
  if (runtime != nullptr && runtime->release() == 0 && runtime != current_) retire(runtime);
}

void Worker::retire(gateway::Runtime* runtime) {
  to_retire_.push_back(runtime);
  // The loader may have lost its core while it holds the lock: then the next one takes this one along.
  const std::unique_lock lock(retired_mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  retired_.insert(retired_.end(), to_retire_.begin(), to_retire_.end());
  to_retire_.clear();
}

void Worker::destroy_retired() {
  std::vector<gateway::Runtime*> retired;
  {
    const std::lock_guard lock(retired_mutex_);
    retired.swap(retired_);
  }
  for (gateway::Runtime* runtime : retired) delete runtime;
}

std::uint64_t Worker::next_id_ticks(std::int64_t now_ms) {
  // 4096 steps in a millisecond: 32 slots of 128 ids. A worker that needs more borrows from the next millisecond.
  if (now_ms > id_ms_) {
    id_ms_ = now_ms;
    id_seq_ = 0;
  } else if (++id_seq_ == 128) {
    ++id_ms_;
    id_seq_ = 0;
  }
  return (static_cast<std::uint64_t>(id_ms_) << 12) | ((slot_ % 32) << 7) | id_seq_;
}

void Worker::random_bytes(std::uint8_t (&out)[16]) {
  // xoroshiro128+, twice: unique, not secret.
  for (int half = 0; half < 2; ++half) {
    const std::uint64_t s0 = random_[0];
    std::uint64_t s1 = random_[1];
    const std::uint64_t value = s0 + s1;
    s1 ^= s0;
    random_[0] = ((s0 << 24) | (s0 >> 40)) ^ s1 ^ (s1 << 16);
    random_[1] = (s1 << 37) | (s1 >> 27);
    std::memcpy(out + half * 8, &value, 8);
  }
}

void Worker::count_request() {
  if (page_ == nullptr) return;
  page_->requests.store(page_->requests.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  publish_counters();
}

void Worker::publish_counters() {
#if (NGX_STAT_STUB)
  if (!control_) return;
  config::ControlPage::Connections& to = control_->page().connections;
  const auto copy = [](std::atomic<std::int64_t>& into, const ngx_atomic_t* from) {
    into.store(static_cast<std::int64_t>(*from), std::memory_order_relaxed);
  };
  copy(to.accepted, ngx_stat_accepted);
  copy(to.handled, ngx_stat_handled);
  copy(to.active, ngx_stat_active);
  copy(to.reading, ngx_stat_reading);
  copy(to.writing, ngx_stat_writing);
  copy(to.waiting, ngx_stat_waiting);
  copy(to.requests, ngx_stat_requests);
#endif
}

}  // namespace gibbon::nginx
