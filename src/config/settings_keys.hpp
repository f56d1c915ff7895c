#pragma once

#include <span>
#include <string>
#include <string_view>

/// The table of configuration keys: what an operator may write, and what a value must look like.
namespace gibbon::settings {

enum class Type { kString, kList, kBoolean, kNumber, kSize };

/// Whether a key does something here, or only stands in the files that Kong's users bring along.
enum class Use { kUsed, kIgnored };

struct Key {
  std::string_view name;
  Type type = Type::kString;
  std::string_view fallback;  ///< The value where none is given.
  std::string_view choices;   ///< "a, b": the only values; empty: any.
  Use use = Use::kUsed;
};

std::span<const Key> keys();
/// Null where there is no such key.
const Key* find_key(std::string_view name);
/// Whether `name` is `nginx_http_...` and the like: a directive to inject.
bool is_directive(std::string_view name);
/// Whether `name` belongs to a family of Kong's that has no part here (pluginserver_*, vault_*,
/// nginx_stream_*, ...).
bool is_ignored_family(std::string_view name);
/// The key that `name` most resembles; empty where none is close.
std::string closest_key(std::string_view name);

/// "%s is not a boolean: '%s'" and the like, in Kong's words; empty where `value` fits.
std::string problem(const Key& key, std::string_view value);

}  // namespace gibbon::settings
