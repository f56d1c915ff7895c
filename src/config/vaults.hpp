#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "gibbon/schema.hpp"

/// Secrets that the configuration names and does not hold: "{vault://env/my-secret}" is the environment variable
/// MY_SECRET of the gateway's own processes.
namespace gibbon::config {

/// A reference taken apart: "{vault://env/my-secret/key?prefix=app_}".
struct VaultReference {
  std::string vault;     ///< "env", or the prefix of a vault entity.
  std::string resource;  ///< "my-secret"
  std::string key;       ///< Of the JSON object that the resource holds; empty: the resource itself.
  std::string prefix;    ///< What the reference itself puts before the resource's name; empty: the vault's own.

  /// Errors: no reference; the message says which part is missing.
  static Result<VaultReference> parse(std::string_view text);
};

/// The vaults of one configuration. Threads: any.
class Vaults {
 public:
  /// An environment variable's value; nothing where it is not set.
  using Environment = std::function<std::optional<std::string>(const std::string& name)>;
  static std::optional<std::string> process_environment(const std::string& name);

  /// `entities`: the vaults' objects, as stored.
  explicit Vaults(const std::vector<json::object>& entities, Environment environment = process_environment);

  /// Errors: no such vault, no such secret; the message names the reference and never a value.
  [[nodiscard]] Result<std::string> get(std::string_view reference) const;

 private:
  std::map<std::string, std::string, std::less<>> prefixes_;  ///< By the vault's name in references.
  Environment environment_;
};

/// The references that stand in the referenceable fields of an entity.
std::vector<std::string> vault_references(const Schema& schema, const json::object& entity);

/// Whether entities of a schema may have any.
bool may_refer_to_vaults(const Schema& schema);

/// Replaces each text that is a key of `secrets` by what stands there. Gives whether there was one.
bool replace_references(json::value& value, const json::object& secrets);

}  // namespace gibbon::config
