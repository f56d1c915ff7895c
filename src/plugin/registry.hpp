#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "gibbon/plugin.hpp"

/// Finding and loading plugins: the gateway runs their phases, the agent their schemas and deliveries.
namespace gibbon::plugin {

/// The plugins that this process has loaded. They stay loaded until it ends: descriptors never dangle.
class Registry {
 public:
  /// Loads `names` as <directory>/<name>.so, each from the first of `directories` that has it.
  /// "bundled" stands for every plugin of Kong's bundle that the first directory has; "off", alone, for none.
  /// Errors: all of them at once, one line each, with the plugin, its file and what would be right. Each is tried in a
  /// child process first, so that one that throws or crashes while it is loaded is an error like any other.
  static Result<Registry> load(const std::vector<std::string>& names,
                               const std::vector<std::string>& directories);
  /// The same in the child process alone: says whether load() would do, and loads nothing.
  static Status try_load(const std::vector<std::string>& names, const std::vector<std::string>& directories);
  /// A registry of descriptors that are linked into the program. They must live as long as it does.
  static Registry of(std::vector<const PluginDescriptor*> descriptors);

  /// Null where no such plugin was loaded.
  [[nodiscard]] const PluginDescriptor* find(std::string_view name) const;
  /// By falling priority, then by name: the order in which phases run.
  [[nodiscard]] const std::vector<const PluginDescriptor*>& all() const { return plugins_; }

 private:
  std::vector<const PluginDescriptor*> plugins_;
};

/// A configuration object made by a plugin from its validated JSON, and freed by the plugin. Empty when moved from.
class ConfigObject {
 public:
  /// Errors: the plugin refused the configuration by throwing. The descriptor must outlive the object.
  static Result<ConfigObject> make(const PluginDescriptor& plugin, const json::object& config);

  ConfigObject(ConfigObject&& other) noexcept;
  ConfigObject& operator=(ConfigObject&& other) noexcept;
  ~ConfigObject();

  [[nodiscard]] const void* get() const { return config_; }
  [[nodiscard]] const PluginDescriptor& plugin() const { return *plugin_; }

 private:
  ConfigObject(const PluginDescriptor* plugin, void* config) : plugin_(plugin), config_(config) {}
  const PluginDescriptor* plugin_;
  void* config_;
};

}  // namespace gibbon::plugin
