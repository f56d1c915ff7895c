#pragma once

#include <memory>
#include <string>

#include "agent/store/catalog.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"
#include "config/settings.hpp"

/// `gibbon config`: a declarative file and the store, from outside of the agent. An import writes to the
/// database by itself, whether an agent runs or not: SQLite keeps the two apart, and a running agent lets go
/// live what it finds (kStoreChanged tells it at once).
namespace gibbon::agent {

/// A file that is right, and what it was checked against.
struct ParsedFile {
  std::shared_ptr<const Catalog> catalog;
  Image image;
};
/// Errors: all that is wrong with the file, a line each.
[[nodiscard]] Result<ParsedFile> parse_file(const Settings& settings, const std::string& file);

enum class Agent { kAbsent, kRunning };
enum class Imported { kNothing, kChanges };
/// Makes or replaces every entity of the file; others stay. All or nothing. An entity that is stored as it
/// stands in the file already is not touched. `agent`: whether one uses the database; it is not brought to a
/// newer layout then. Errors: a unique value that another entity holds; the database's.
[[nodiscard]] Result<Imported> import_file(const ParsedFile& file, const Paths& paths, Agent agent);

/// Everything that is stored, as a declarative document in YAML. Changes nothing. Errors: no database, or it
/// cannot be read.
[[nodiscard]] Result<std::string> export_store(const Settings& settings, const Paths& paths);

}  // namespace gibbon::agent
