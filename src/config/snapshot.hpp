#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/entities.hpp"
#include "config/plugin_entities.hpp"

/// The whole configuration at one moment, immutable: all that the agent hands to the gateway.
///
/// It travels as a JSON file in shared memory, `snapshot.<generation>`, with the entities as the Admin API
/// shows them, an array for each collection: `{"generation": 7, "services": [...], "routes": [...], ...}`. The
/// agent wrote it after validation, so that a worker never has to refuse one. References to vaults stand as they are
/// stored; what they refer to stands beside them, in "secrets", and takes their place when the snapshot is read.
///
/// Most changes are small: a snapshot may name an older, whole one as its `base`, and hold what differs from it:
/// `{"generation": 9, "base": 7, "changed": {"routes": [...]}, "removed": {"routes": ["id"]}}`. The base's file stays
/// for as long as a snapshot names it.
namespace gibbon::config {

/// Every vector by the ids of its entities, but for the targets.
struct Snapshot {
  std::uint64_t generation = 0;
  std::vector<Service> services;
  std::vector<Route> routes;
  std::vector<Plugin> plugins;  ///< Enabled ones alone.
  std::vector<Consumer> consumers;
  std::vector<Upstream> upstreams;
  std::vector<Target> targets;  ///< The oldest first, per upstream.
  std::vector<Certificate> certificates;
  std::vector<Sni> snis;
  std::vector<CaCertificate> ca_certificates;
  PluginCollections plugin_entities;  ///< Of the kinds that plugins bring.
};

/// Whether services, routes and consumers keep their texts: those who write records show them.
enum class ShownTexts { kNone, kKept };

/// Reads one generation after another, and keeps the base, so that a small change costs little. Threads: one.
class SnapshotReader {
 public:
  /// `directory`: where the files of bases and of load() are.
  explicit SnapshotReader(std::string directory, ShownTexts texts = ShownTexts::kNone)
      : directory_(std::move(directory)), texts_(texts) {}

  /// Errors: what is not a snapshot, a base that cannot be read.
  Result<Snapshot> parse(std::string_view text);
  /// Reads and parses `snapshot.<generation>`.
  Result<Snapshot> load(std::uint64_t generation);

 private:
  std::string directory_;
  ShownTexts texts_;
  Snapshot base_;  ///< Generation 0: none yet.
};

/// The same for one whole snapshot, or for one file with its base.
Result<Snapshot> parse_snapshot(std::string_view text);
Result<Snapshot> load_snapshot(const std::string& directory, std::uint64_t generation,
                               ShownTexts texts = ShownTexts::kNone);
/// Writes the file in one step, for the workers' user as well as this one.
Status save_snapshot(const std::string& directory, std::uint64_t generation, std::string_view text);
/// One collection of a snapshot that is to be written: its name and its entities.
struct SnapshotCollection {
  std::string name;
  json::array entities;
};
/// The file's text. `secrets`: what the
/// references to vaults refer to, {"{vault://env/x}": "value"}.
std::string serialize_snapshot(std::uint64_t generation, const std::vector<SnapshotCollection>& collections,
                               const json::object& secrets = {});
/// What became of one entity since the base: null where it is gone.
struct SnapshotChange {
  std::string collection, id;
  const json::object* entity;
};
/// The text of a snapshot that differs from the whole one of generation `base`.
std::string serialize_changes(std::uint64_t generation, std::uint64_t base, const std::vector<SnapshotChange>& changes,
                              const json::object& secrets = {});
std::string snapshot_path(const std::string& directory, std::uint64_t generation);

}  // namespace gibbon::config
