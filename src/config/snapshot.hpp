#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/entities.hpp"

/// The whole configuration at one moment, immutable: all that the agent hands to the gateway.
///
/// It travels as a JSON file in shared memory, `snapshot.<generation>`, with the entities as the Admin API
/// shows them, an array for each collection: `{"generation": 7, "services": [...], "routes": [...], ...}`. The
/// agent wrote it after validation, so that a worker never has to refuse one. References to vaults stand as they are
/// stored; what they refer to stands beside them, in "secrets", and takes their place when the snapshot is read.
namespace gibbon::config {

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
};

Result<Snapshot> parse_snapshot(std::string_view text);
/// Reads and parses `snapshot.<generation>` in `directory`.
Result<Snapshot> load_snapshot(const std::string& directory, std::uint64_t generation);
/// Writes the file in one step, for the workers' user as well as this one.
Status save_snapshot(const std::string& directory, std::uint64_t generation, std::string_view text);
/// One collection of a snapshot that is to be written: its name and its entities.
struct SnapshotCollection {
  std::string name;
  json::array entities;
};
/// The file's text. Collections that parse_snapshot() does not know are for others to read. `secrets`: what the
/// references to vaults refer to, {"{vault://env/x}": "value"}.
std::string serialize_snapshot(std::uint64_t generation, const std::vector<SnapshotCollection>& collections,
                               const json::object& secrets = {});
std::string snapshot_path(const std::string& directory, std::uint64_t generation);

}  // namespace gibbon::config
