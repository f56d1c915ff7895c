#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "agent/admin/api.hpp"
#include "agent/store/declarative_store.hpp"
#include "agent/store/sqlite_store.hpp"
#include "gibbon/plugin.hpp"

namespace gibbon::agent::test {

/// A folder that goes away with it.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& where = std::filesystem::temp_directory_path()) {
    std::string name = (where / "gibbon-agent-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Plugins with the schemas that the recorded cases need: the logger, http-log, correlation-id and rate-limiting.
std::shared_ptr<const plugin::Registry> test_plugins();

/// The API's surroundings without a process: a store, the plugins above, no gateway.
class TestHost : public Host {
 public:
  explicit TestHost(std::unique_ptr<Store> store) : store_(std::move(store)) {}
  /// With a database that lives as long as the host.
  static std::unique_ptr<TestHost> with_database();
  static std::unique_ptr<TestHost> without_database();
  /// With the plugins of the build: what they bring is in the store.
  static std::unique_ptr<TestHost> with_built_plugins(const std::vector<std::string>& names);

  [[nodiscard]] std::shared_ptr<const Settings> settings() const override { return settings_; }
  [[nodiscard]] std::shared_ptr<const Catalog> catalog() const override { return catalog_; }
  Store& store() override { return *store_; }
  [[nodiscard]] const config::ControlPage* control() const override { return nullptr; }
  config::HealthTable* health() override { return health_ ? &*health_ : nullptr; }
  [[nodiscard]] std::string shared_directory() const override { return folder_.path(); }
  void wait_applied() override { ++waits; }
  Declarative replace_configuration(json::object document, const std::string& text, ErrorShape shape) override;
  [[nodiscard]] std::string current_hash() const override { return hash_; }
  [[nodiscard]] std::string log_level() const override { return log_level_; }
  void set_log_level(const std::string& level, std::chrono::seconds) override { log_level_ = level; }
  [[nodiscard]] std::string node_id() const override { return "6f1a7a86-5d0c-4c5e-9b0a-1f1e0e3f8f10"; }
  [[nodiscard]] int master_pid() const override { return 0; }
  [[nodiscard]] bool ready() const override { return is_ready; }
  void drain() override { is_draining = true; }
  [[nodiscard]] bool draining() const override { return is_draining; }
  [[nodiscard]] json::object delivery_status() const override { return {}; }
  [[nodiscard]] std::string delivery_metrics() const override { return ""; }

  std::atomic<int> waits = 0;
  bool is_ready = false, is_draining = false;
  void use(std::shared_ptr<const Settings> settings) { settings_ = std::move(settings); }
  /// Gives it a health table, as a gateway has.
  void make_health() { health_.emplace(config::HealthTable::open(folder_.path()).value()); }

 private:
  TemporaryFolder folder_;
  std::optional<config::HealthTable> health_;
  std::unique_ptr<Store> store_;
  std::shared_ptr<const Catalog> catalog_ = std::make_shared<Catalog>(test_plugins());
  std::shared_ptr<const Settings> settings_ = std::make_shared<Settings>();
  std::string log_level_ = "notice";
  std::string hash_ = kEmptyConfigurationHash;
};

struct Answer {
  int status = 0;
  std::vector<http::Header> headers;
  std::string text;
  json::value body;  ///< Null where it is not JSON.
  [[nodiscard]] std::string header(std::string_view name) const;
};

/// A client of an API that lives in this process.
class Client {
 public:
  explicit Client(Host& host, Api::Kind kind = Api::Kind::kAdmin) : api_(host, kind) {}
  Answer send(const std::string& method, const std::string& target, const std::string& body = "",
              const std::string& content_type = "") const;
  Answer get(const std::string& target) const { return send("GET", target); }
  Answer json(const std::string& method, const std::string& target, const json::value& body) const;
  Answer form(const std::string& method, const std::string& target, const std::string& body) const {
    return send(method, target, body, "application/x-www-form-urlencoded");
  }

 private:
  Api api_;
};

/// `value` with every created_at and updated_at replaced by "<time>".
json::value without_times(const json::value& value);

}  // namespace gibbon::agent::test
