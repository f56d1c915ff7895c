#include "gateway/nginx/background.hpp"

#include "gateway/nginx/kit/async.hpp"
#include "gateway/nginx/kit/deadline.hpp"
#include "gateway/nginx/kit/node.hpp"

namespace gibbon::nginx {
namespace {

using std::chrono::milliseconds;

/// Kong's lua_max_pending_timers.
constexpr std::size_t kMostTasks = 16384;

}  // namespace

/// A task, and what its plugin sees of the gateway.
class BackgroundTasks::Running final : public Background, public Caller {
 public:
  Running(BackgroundTasks& owner, const PluginDescriptor& plugin, Phase phase, std::optional<milliseconds> interval,
          Node::Work work)
      : owner_(owner), plugin_(plugin), phase_(phase), interval_(interval), work_(std::move(work)), node_(*this), log_(*this) {
    timer_.data = this;
    timer_.log = ngx_cycle->log;
    timer_.cancelable = 1;
    timer_.handler = [](ngx_event_t* event) { static_cast<Running*>(event->data)->run(); };
  }
  ~Running() {
    if (timer_.timer_set) ngx_del_timer(&timer_);
    const Task<> ended = std::move(task_);
  }

  Node& node() override { return node_; }
  Log& log() override { return log_; }
  Wait<void> sleep(milliseconds time) override { return make_sleep(*this, time); }
  Wait<HttpResponse> http(HttpRequest request) override { return make_http(*this, std::move(request)); }
  Wait<std::vector<std::string>> resolve(std::string name) override { return make_resolve(*this, std::move(name)); }
  Wait<std::unique_ptr<Socket>> connect(ConnectOptions options) override { return make_connect(*this, std::move(options)); }

  [[nodiscard]] const PluginDescriptor* plugin() const override { return &plugin_; }
  [[nodiscard]] Phase phase() const override { return phase_; }
  [[nodiscard]] ngx_log_t* log() const override { return ngx_cycle->log; }
  void resume(std::coroutine_handle<> waiting) noexcept override {
    waiting.resume();
    if (task_.done()) finish();
  }

  void run_after(milliseconds delay) { ngx_add_timer(&timer_, to_msec(delay)); }
  /// It may be gone afterwards.
  void run() noexcept {
    guard([this] {
      task_ = work_(*this);
      if (task_) task_.start();
    });
    if (!task_ || task_.done()) finish();
  }
  /// What `call` throws is a line of the error log.
  template <typename Call>
  void guard(Call call) noexcept {
    try {
      return call();
    } catch (const std::exception& e) {
      report(e.what());
    } catch (...) {
      report("it threw something that is no std::exception");
    }
  }

 private:
  void report(const char* what) noexcept {
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "[%s] exception in %s: %s", plugin_.name, phase_name(phase_), what);
  }
  void finish() noexcept {
    Task<> ended = std::move(task_);
    if (ended) guard([&] { ended.result(); });
    if (!interval_) return owner_.remove(this);
    run_after(std::max(*interval_, milliseconds(1)));
  }

  BackgroundTasks& owner_;
  const PluginDescriptor& plugin_;
  Phase phase_;
  std::optional<milliseconds> interval_;
  Node::Work work_;  // Before the task: a coroutine uses what the function that made it has captured.
  NodeAdapter node_;
  LogAdapter log_;
  ngx_event_t timer_{};
  Task<> task_;
};

BackgroundTasks::BackgroundTasks() = default;
BackgroundTasks::~BackgroundTasks() { stop(); }

void BackgroundTasks::add(const PluginDescriptor& plugin, milliseconds delay, std::optional<milliseconds> interval,
                          Node::Work work) {
  if (stopped_) return;
  if (running_.size() >= kMostTasks) throw std::runtime_error("too many background tasks");
  running_.push_back(std::make_unique<Running>(*this, plugin, Phase::kTimer, interval, std::move(work)));
  running_.back()->run_after(delay);
}

void BackgroundTasks::init_worker(const plugin::Registry& plugins) {
  for (const PluginDescriptor* plugin : plugins.all()) {
    if (plugin->init_worker == nullptr) continue;
    const auto work = [plugin](Background& background) { return plugin->init_worker(background); };
    running_.push_back(std::make_unique<Running>(*this, *plugin, Phase::kInitWorker, std::nullopt, work));
    running_.back()->run();
  }
}

void BackgroundTasks::configure(const plugin::Registry& plugins, const gateway::Runtime& runtime) {
  for (const PluginDescriptor* plugin : plugins.all()) {
    if (plugin->configure == nullptr) continue;
    Running caller(*this, *plugin, Phase::kConfigure, std::nullopt, nullptr);
    caller.guard([&] { plugin->configure(caller, runtime.chains().configurations_of(*plugin)); });
  }
}

void BackgroundTasks::stop() {
  stopped_ = true;
  const auto ended = std::move(running_);
}

void BackgroundTasks::remove(const Running* running) {
  std::list<std::unique_ptr<Running>> ended;
  for (auto it = running_.begin(); it != running_.end(); ++it) {
    if (it->get() != running) continue;
    ended.splice(ended.end(), running_, it);
    return;
  }
}

}  // namespace gibbon::nginx
