#include "agent/transfer.hpp"

#include <filesystem>

#include "agent/store/declarative.hpp"
#include "agent/store/sqlite_store.hpp"
#include "agent/store/yaml.hpp"

namespace gibbon::agent {
namespace {

Result<std::shared_ptr<const Catalog>> load_catalog(const Settings& settings) {
  auto plugins = plugin::Registry::load(settings.plugins, settings.plugin_path);
  if (!plugins.ok()) return plugins.error();
  return std::shared_ptr<const Catalog>(
      std::make_shared<Catalog>(std::make_shared<const plugin::Registry>(std::move(*plugins))));
}

}  // namespace

Result<ParsedFile> parse_file(const Settings& settings, const std::string& file) {
  auto catalog = load_catalog(settings);
  if (!catalog.ok()) return catalog.error();
  std::string text;
  auto loaded = load_declarative_file(file, **catalog, text);
  if (!loaded.ok()) return Error{loaded.error->text, ""};
  return ParsedFile{std::move(*catalog), std::move(loaded.image)};
}

Result<Imported> import_file(const ParsedFile& file, const Paths& paths, Agent agent) {
  const auto collections = file.catalog->shared_collections();
  if (agent == Agent::kRunning) {
    const auto found = SqliteStore::inspect(paths.database, collections);
    if (!found.ok()) return found.error();
    if (found->layout < found->newest_layout)
      return Error{"the running gateway is of an older build: restart it before you import", ""};
  }
  std::error_code failed;
  std::filesystem::create_directories(paths.prefix, failed);
  if (failed) return Error{paths.prefix + ": " + failed.message(), ""};
  auto store = SqliteStore::open(paths.database, collections);
  if (!store.ok()) return store.error();
  auto imported = Imported::kNothing;
  const auto done = (*store)->write([&](Transaction& transaction) -> Outcome<Row> {
    for (const auto& collection : *collections)
      if (auto error = transaction.put_all(collection, file.image.rows(collection.name))) return *error;
    if (!transaction.changes().empty()) imported = Imported::kChanges;
    return Row();
  });
  if (!done.ok()) return Error{done.error().message, ""};
  return imported;
}

Result<std::string> export_store(const Settings& settings, const Paths& paths) {
  const auto catalog = load_catalog(settings);
  if (!catalog.ok()) return catalog.error();
  if (!std::filesystem::exists(paths.database)) return Error{"there is no database at " + paths.database, ""};
  const auto found = SqliteStore::inspect(paths.database, (*catalog)->shared_collections());
  if (!found.ok()) return found.error();
  return to_yaml(export_declarative(*found->image));
}

}  // namespace gibbon::agent
