#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/entities.hpp"

/// The whole configuration at one moment, immutable: all that the agent hands to the gateway.
///
/// It travels as a JSON file in shared memory, `snapshot.<generation>`, with the entities as the Admin API
/// shows them: `{"generation": 7, "services": [...], "routes": [...], "plugins": [...]}`. The agent wrote it
/// after validation, so that a worker never has to refuse one.
namespace gibbon::config {

struct Snapshot {
  std::uint64_t generation = 0;
  std::vector<Service> services;
  std::vector<Route> routes;
  std::vector<Plugin> plugins;  ///< Enabled ones alone.
};

Result<Snapshot> parse_snapshot(std::string_view text);
/// Reads and parses `snapshot.<generation>` in `directory`.
Result<Snapshot> load_snapshot(const std::string& directory, std::uint64_t generation);
/// Writes the file in one step, for the workers' user as well as this one.
Status save_snapshot(const std::string& directory, std::uint64_t generation, std::string_view text);
/// The file's text. The arrays hold entity objects.
std::string serialize_snapshot(std::uint64_t generation, const json::array& services,
                               const json::array& routes, const json::array& plugins);
std::string snapshot_path(const std::string& directory, std::uint64_t generation);

}  // namespace gibbon::config
