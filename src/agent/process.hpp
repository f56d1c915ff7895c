#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/admin/api.hpp"
#include "agent/declarative_source.hpp"
#include "agent/delivery/delivery.hpp"
#include "agent/log_level.hpp"
#include "agent/publisher.hpp"
#include "agent/store/declarative_store.hpp"
#include "agent/write_queue.hpp"
#include "base/paths.hpp"
#include "http/server.hpp"

namespace gibbon::agent {

/// Whether the certificates of the Admin API's and the status API's addresses can be used.
Status check_addresses(const Settings& settings, const Paths& paths);

/// Everything that the agent runs, put together. Threads: start(), reload() and stop() from one; as a Host
/// from any.
class Process : public Host {
 public:
  Process(const Settings& settings, Paths paths);
  ~Process() override;

  /// Opens the store, starts the delivery, publishes, and listens.
  Status start();
  /// Reads the settings and the declarative file again. Errors: nothing has changed.
  Status reload();
  /// Soon lets go live what another program wrote to the store. After start().
  void catch_up();
  /// Stops accepting, answers what is under way, and gives the delivery a moment to send what waits.
  void stop();

  [[nodiscard]] std::shared_ptr<const Settings> settings() const override;
  [[nodiscard]] std::shared_ptr<const Catalog> catalog() const override;
  Store& store() override { return *store_; }
  [[nodiscard]] std::shared_ptr<const Guard> guard() const override;
  [[nodiscard]] const config::ControlPage* control() const override { return &control_->page(); }
  config::HealthTable* health() override { return health_ ? &*health_ : nullptr; }
  [[nodiscard]] std::string shared_directory() const override { return paths_.shared; }
  void wait_applied() override;
  Declarative replace_configuration(json::object document, const std::string& text, ErrorShape shape) override;
  [[nodiscard]] std::string current_hash() const override;
  [[nodiscard]] std::string log_level() const override { return log_level_->current(); }
  void set_log_level(const std::string& level, std::chrono::seconds duration) override {
    log_level_->set(level, duration);
  }
  [[nodiscard]] std::string node_id() const override { return node_id_; }
  [[nodiscard]] int master_pid() const override;
  [[nodiscard]] bool ready() const override;
  void drain() override { control_->page().draining.store(1); }
  [[nodiscard]] bool draining() const override { return control_->page().draining.load() != 0; }
  [[nodiscard]] json::object delivery_status() const override;
  [[nodiscard]] std::string delivery_metrics() const override;

 private:
  Status open_store();
  /// What a gateway without a database starts with.
  Result<DeclarativeInput> first_configuration();
  Status start_delivery();
  void make_apis();
  [[nodiscard]] std::shared_ptr<const Api> api(Api::Kind kind) const;
  Status listen();
  /// All that listen() works from: other text where a restart of the listeners is needed.
  static std::string listening_state(const Settings& settings, const Paths& paths);
  void stop_listening();
  /// The part of reload() that must not meet a change of the configuration.
  Status reload_configuration(std::shared_ptr<const Settings> settings);

  const Paths paths_;
  std::string node_id_;
  mutable std::mutex lock_;  ///< Over the four that follow, and the delivery's pointer.
  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<const Guard> guard_;
  std::shared_ptr<const Catalog> catalog_;
  std::string hash_ = kEmptyConfigurationHash;

  std::optional<config::Control> control_;
  std::optional<LogLevel> log_level_;
  std::optional<config::HealthTable> health_;
  std::shared_ptr<const Catalog> delivery_catalog_;  ///< Its plugins are the delivery's.
  std::shared_ptr<Delivery> delivery_;               ///< Under lock_: it is replaced when the plugins change.
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<Store> store_;
  DeclarativeStore* declarative_ = nullptr;  ///< `store_`, where there is no database.
  std::shared_ptr<const Api> admin_, status_;        ///< Under lock_: made anew when the plugins change.
  std::unique_ptr<WriteQueue> writes_;
  std::vector<std::unique_ptr<http::Server>> servers_;
  std::string listening_;  ///< What listen() worked from.
};

}  // namespace gibbon::agent
