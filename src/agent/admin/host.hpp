#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "agent/admin/guard.hpp"
#include "agent/store/catalog.hpp"
#include "agent/store/declarative.hpp"
#include "agent/store/store.hpp"
#include "base/json.hpp"
#include "config/control.hpp"
#include "config/health_table.hpp"
#include "config/settings.hpp"

namespace gibbon::agent {

/// The process around the Admin API: what it shows and what it asks for. Threads: any.
class Host {
 public:
  virtual ~Host() = default;

  /// The settings in effect; replaced by a reload.
  [[nodiscard]] virtual std::shared_ptr<const Settings> settings() const = 0;
  /// The plugins and schemas in effect.
  [[nodiscard]] virtual std::shared_ptr<const Catalog> catalog() const = 0;
  [[nodiscard]] virtual Store& store() = 0;
  /// Whom the Admin API lets in; null: everybody.
  [[nodiscard]] virtual std::shared_ptr<const Guard> guard() const { return nullptr; }
  /// Null where there is no gateway (tests).
  [[nodiscard]] virtual const config::ControlPage* control() const = 0;
  /// The health of the upstreams' addresses, and where the workers write what stands behind targets' names. Null and
  /// empty where there is no gateway (tests).
  [[nodiscard]] virtual config::HealthTable* health() = 0;
  [[nodiscard]] virtual std::string shared_directory() const = 0;
  /// Returns when every worker applies what was written last, or after a deadline (which is logged).
  virtual void wait_applied() = 0;

  /// Without a database: replaces the configuration by `document`; `text` is what it was read from, for its
  /// hash.
  virtual Declarative replace_configuration(json::object document, const std::string& text, ErrorShape shape) = 0;
  /// Of the configuration in effect; kEmptyConfigurationHash where there is none.
  [[nodiscard]] virtual std::string current_hash() const = 0;

  /// The log level in effect, and another one for a while: the agent's and the workers'.
  [[nodiscard]] virtual std::string log_level() const = 0;
  virtual void set_log_level(const std::string& level, std::chrono::seconds duration) = 0;

  /// An id that stays with the gateway's prefix.
  [[nodiscard]] virtual std::string node_id() const = 0;
  /// nginx's master; 0 where it does not run.
  [[nodiscard]] virtual int master_pid() const = 0;
  /// The gateway takes traffic: some worker applies a configuration.
  [[nodiscard]] virtual bool ready() const = 0;
  /// Whoever asks whether the gateway is ready hears that it is draining, from now to its end.
  virtual void drain() = 0;
  [[nodiscard]] virtual bool draining() const = 0;
  /// The `gibbon` object of /status: what became of the records, and the endpoints.
  [[nodiscard]] virtual json::object delivery_status() const = 0;
  /// The delivery's part of /metrics, in Prometheus' text format.
  [[nodiscard]] virtual std::string delivery_metrics() const = 0;
};

}  // namespace gibbon::agent
