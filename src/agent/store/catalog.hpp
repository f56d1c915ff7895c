#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "agent/store/image.hpp"
#include "base/result.hpp"
#include "plugin/registry.hpp"
#include "schema/validate.hpp"

namespace gibbon::agent {

/// What the values of an input mean.
enum class Values {
  kOperators,  ///< Passwords are as they are typed; `ttl` is in seconds from now.
  kDocuments,  ///< The same, but `ttl` is the time at which it runs out, in seconds since the epoch.
  kStored,     ///< All values are as they are stored: `_transform: false`.
};

/// What may be configured: the entities' schemas, and those of the plugins that are enabled.
/// Immutable; threads: any.
class Catalog {
 public:
  explicit Catalog(std::shared_ptr<const plugin::Registry> plugins);

  [[nodiscard]] const plugin::Registry& plugins() const { return *plugins_; }
  /// The gateway's own collections and those that the plugins bring.
  [[nodiscard]] const Collections& collections() const { return *collections_; }
  [[nodiscard]] std::shared_ptr<const Collections> shared_collections() const { return collections_; }
  /// The `config` schema of an enabled plugin; null for any other name.
  [[nodiscard]] const Schema* config_schema(std::string_view plugin) const;
  /// The schema that an entity like `input` is checked against: a plugin's own where its name is known.
  [[nodiscard]] const Schema& schema_for(const Collection& collection, const json::object& input) const;

  /// As schema::check_*, with the plugin's name and its own opinion of its configuration checked too, and with the
  /// collection's transformations run. An entity's `ttl` becomes the time at which it runs out.
  [[nodiscard]] schema::Checked check_insert(const Collection& collection, json::object input,
                                             Values values = Values::kOperators) const;
  [[nodiscard]] schema::Checked check_update(const Collection& collection, const json::object& stored,
                                             json::object patch) const;
  [[nodiscard]] schema::Checked check_upsert(const Collection& collection, json::object input,
                                             const json::object* stored) const;

  /// The names of plugins that `image` configures and that are not enabled, each once.
  [[nodiscard]] std::vector<std::string> missing_plugins(const Image& image) const;
  /// Errors: missing_plugins(), and what to do about them.
  [[nodiscard]] Status check_plugins(const Image& image) const;

 private:
  struct PluginSchemas {
    Schema config, entity;
  };
  /// Runs `check` with the schema that fits `named` and adds what the schema cannot know.
  template <typename Check>
  schema::Checked checked(const Collection& collection, const json::object& named, json::object& input,
                          Check check) const;

  std::shared_ptr<const plugin::Registry> plugins_;
  std::shared_ptr<const Collections> collections_;
  std::map<std::string, PluginSchemas, std::less<>> schemas_;
};

}  // namespace gibbon::agent
