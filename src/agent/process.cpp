#include "agent/process.hpp"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "agent/delivery_report.hpp"
#include "agent/log.hpp"
#include "agent/store/sqlite_store.hpp"
#include "base/node_id.hpp"

namespace gibbon::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto kApplyDeadline = 5s;
constexpr auto kDrain = 5s;

Result<std::shared_ptr<const Catalog>> load_catalog(const Settings& settings) {
  auto plugins = plugin::Registry::load(settings.plugins, settings.plugin_path);
  if (!plugins.ok()) return plugins.error();
  return std::shared_ptr<const Catalog>(
      std::make_shared<Catalog>(std::make_shared<const plugin::Registry>(std::move(*plugins))));
}

}  // namespace

Process::Process(const Settings& settings, Paths paths)
    : paths_(std::move(paths)), settings_(std::make_shared<const Settings>(settings)) {}

Process::~Process() { stop(); }

Status Process::start() {
  std::error_code failed;
  std::filesystem::create_directories(paths_.shared, failed);
  if (failed) return Error{"cannot make " + paths_.shared + ": " + failed.message(), ""};
  node_id_ = gibbon::node_id(paths_);
  auto control = config::Control::open(paths_.shared);
  if (!control.ok()) return control.error();
  control_.emplace(std::move(*control));
  log_level_.emplace(settings_->log_level, control_->page());
  auto health = config::HealthTable::open(paths_.shared);
  if (!health.ok()) return health.error();
  health_.emplace(std::move(*health));
  auto guard = Guard::load(*settings_);
  if (!guard.ok()) return guard.error();
  guard_ = std::move(*guard);
  auto catalog = load_catalog(*settings_);
  if (!catalog.ok()) return catalog.error();
  catalog_ = std::move(*catalog);
  if (auto opened = open_store(); !opened.ok()) return opened;
  if (auto started = start_delivery(); !started.ok()) return started;
  publisher_ = std::make_unique<Publisher>(
      *control_, [this] { return this->catalog(); },
      [this](std::shared_ptr<const config::Snapshot> snapshot) { delivery_->publish(std::move(snapshot)); });
  store_->listen(publisher_.get());
  if (auto published = publisher_->publish(*store_->read()); !published.ok()) return published;
  make_apis();
  writes_ = std::make_unique<WriteQueue>();
  return listen();
}

Result<DeclarativeInput> Process::first_configuration() {
  // A posted configuration is there only when an agent ended without a word: the gateway still runs with it.
  if (auto posted = read_posted(paths_, *catalog_)) return std::move(*posted);
  auto input = read_declarative(*settings_, *catalog_);
  if (input.ok()) return input;
  auto running = read_running(*control_, *catalog_);
  if (!running || !catalog_->missing_plugins(running->image).empty()) return input;
  spdlog::error("{}", input.error().message);
  spdlog::warn("going on with the configuration that the gateway runs with");
  return std::move(*running);
}

Status Process::open_store() {
  if (settings_->database == "off") {
    auto store = std::make_unique<DeclarativeStore>(catalog_->shared_collections());
    declarative_ = store.get();
    store_ = std::move(store);
    auto input = first_configuration();
    if (!input.ok()) return input.error();
    hash_ = input->hash;
    return declarative_->replace(std::move(input->image));
  }
  auto store = SqliteStore::open(paths_.database, catalog_->shared_collections());
  if (!store.ok()) return store.error();
  store_ = std::move(*store);
  return catalog_->check_plugins(*store_->read());
}

Status Process::start_delivery() {
  DeliveryOptions options;
  options.shared_directory = paths_.shared;
  options.spool_directory = paths_.spool;
  options.spool_max_bytes = settings_->spool_max_size_bytes;
  options.plugins = &catalog_->plugins();
  options.secret = [this](const std::string& reference) { return vaults_of(*store_->read()).get(reference); };
  auto delivery = std::make_shared<Delivery>(options);
  if (auto started = delivery->start(); !started.ok()) return started;
  const std::lock_guard lock(lock_);
  delivery_catalog_ = catalog_;
  delivery_ = std::move(delivery);
  return {};
}

Status Process::reload() {
  auto loaded = Settings::load_effective(paths_.prefix);
  if (!loaded.ok()) return loaded.error();
  auto next = std::make_shared<const Settings>(std::move(*loaded));
  auto guard = Guard::load(*next);
  if (!guard.ok()) return guard.error();
  const auto old = settings();
  if (next->database != old->database)
    return Error{"'database' cannot change while the gateway runs: restart it", "database"};
  // In the queue of the changes, so that none is lost between the old and the new.
  std::promise<Status> done;
  if (!writes_->push([&] { done.set_value(reload_configuration(next)); }))
    return Error{"too many changes wait", ""};
  if (auto status = done.get_future().get(); !status.ok()) return status;
  {
    const std::lock_guard lock(lock_);
    guard_ = std::move(*guard);
    if (delivery_ != nullptr) delivery_->reopen();
  }
  log_level_->configure(next->log_level);
  if (listening_ == listening_state(*next, paths_)) return {};
  stop_listening();
  return listen();
}

Status Process::reload_configuration(std::shared_ptr<const Settings> settings) {
  const auto old = this->settings();
  auto catalog = this->catalog();
  const bool plugins_changed = settings->plugins != old->plugins || settings->plugin_path != old->plugin_path;
  if (plugins_changed) {
    auto loaded = load_catalog(*settings);
    if (!loaded.ok()) return loaded.error();
    catalog = std::move(*loaded);
  }
  DeclarativeInput input;
  if (declarative_ != nullptr) {
    auto read = read_declarative(*settings, *catalog);
    if (!read.ok()) return read.error();
    input = std::move(*read);
  } else if (auto status = store_->catch_up(); !status.ok()) {
    return status;
  } else if (status = catalog->check_plugins(*store_->read()); !status.ok()) {
    return status;
  } else if (plugins_changed) {
    if (status = store_->adopt(catalog->shared_collections()); !status.ok()) return status;
  }
  {
    const std::lock_guard lock(lock_);
    settings_ = std::move(settings);
    catalog_ = std::move(catalog);
    if (declarative_ != nullptr) hash_ = input.hash;
  }
  if (plugins_changed) {
    make_apis();
    delivery_->stop(0ms);  // what it had in hand is still in the rings and in the spool
    if (auto started = start_delivery(); !started.ok()) return started;
  }
  if (declarative_ == nullptr) return publisher_->publish(*store_->read());
  return declarative_->replace(std::move(input.image), [this] {
    forget_posted(paths_);
    return Status();
  });
}

void Process::catch_up() {
  // Behind the changes that wait: each of them takes over what is there as well. Where too many wait, the next does.
  (void)writes_->push([this] {
    if (const auto status = store_->catch_up(); !status.ok())
      spdlog::error("what another program wrote to the store is not in effect: {}", status.error().message);
  });
}

void Process::make_apis() {
  auto admin = std::make_shared<const Api>(*this, Api::Kind::kAdmin);
  auto status = std::make_shared<const Api>(*this, Api::Kind::kStatus);
  const std::lock_guard lock(lock_);
  admin_.swap(admin);
  status_.swap(status);
}

std::shared_ptr<const Api> Process::api(Api::Kind kind) const {
  const std::lock_guard lock(lock_);
  return kind == Api::Kind::kAdmin ? admin_ : status_;
}

void Process::stop() {
  stop_listening();
  writes_.reset();
  if (declarative_ != nullptr) forget_posted(paths_);
  if (delivery_ != nullptr) delivery_->stop(kDrain);
}

std::shared_ptr<const Settings> Process::settings() const {
  const std::lock_guard lock(lock_);
  return settings_;
}

std::shared_ptr<const Guard> Process::guard() const {
  const std::lock_guard lock(lock_);
  return guard_;
}

std::shared_ptr<const Catalog> Process::catalog() const {
  const std::lock_guard lock(lock_);
  return catalog_;
}

std::string Process::current_hash() const {
  const std::lock_guard lock(lock_);
  return hash_;
}

void Process::wait_applied() {
  if (!publisher_->wait_applied(kApplyDeadline))
    spdlog::warn("a worker does not apply configuration {} after {} s", control_->page().generation.load(),
                 kApplyDeadline.count());
}

Declarative Process::replace_configuration(json::object document, const std::string& text, ErrorShape shape) {
  auto loaded = load_declarative(std::move(document), *catalog(), shape);
  if (!loaded.ok()) return loaded;
  const auto hash = configuration_hash(text);
  const auto status =
      declarative_->replace(loaded.image, [&] { return keep_posted(paths_, loaded.image, hash); });
  if (!status.ok()) {
    loaded.error = std::make_unique<DeclarativeError>(
        DeclarativeError{database_error(status.error().message), status.error().message, {}, ErrorShape::kNested});
    return loaded;
  }
  {
    const std::lock_guard lock(lock_);
    hash_ = hash;
  }
  wait_applied();
  return loaded;
}

int Process::master_pid() const {
  int pid = 0;
  std::ifstream(paths_.pids + "/nginx.pid") >> pid;
  return pid;
}

bool Process::ready() const {
  const auto& page = control_->page();
  for (const auto& worker : page.workers)
    if (worker.pid.load() != 0 && worker.applied.load() != 0) return true;
  return false;
}

json::object Process::delivery_status() const {
  std::unique_lock lock(lock_);
  const auto delivery = delivery_;
  lock.unlock();
  return agent::delivery_status(delivery->metrics());
}

std::string Process::delivery_metrics() const {
  std::unique_lock lock(lock_);
  const auto delivery = delivery_;
  lock.unlock();
  return agent::delivery_metrics(delivery->metrics());
}

}  // namespace gibbon::agent
