#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

/// Entities of the kinds that plugins bring, in a snapshot: credentials, for example.
namespace gibbon::config {

/// What a request may ask of such an entity, as text.
struct PluginEntity {
  std::string id;
  std::string consumer_id;        ///< Of the consumer that it belongs to; empty where it belongs to none.
  std::int64_t expires_at_s = 0;  ///< Its ttl, in seconds since the epoch; 0: it never runs out.
  std::vector<std::pair<std::string, std::string>>
      fields;  ///< Texts, numbers and booleans; foreign keys as ids.
};

/// One collection, by the ids of its entities. Snapshots share them: a copy costs pointers.
using PluginEntities = std::vector<std::shared_ptr<const PluginEntity>>;
using PluginCollections = std::map<std::string, PluginEntities, std::less<>>;

/// Reads every array of a snapshot that is no collection of the gateway's own.
Status read_plugin_entities(const json::object& collections, PluginCollections& out);
/// Lays `changed` over `whole` and takes away what `removed` (ids by collection) names.
void apply_plugin_entities(PluginCollections changed, const json::object& removed, PluginCollections& whole);

}  // namespace gibbon::config
