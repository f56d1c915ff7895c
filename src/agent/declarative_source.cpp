#include "agent/declarative_source.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/json_text.hpp"
#include "config/shared_file.hpp"
#include "config/snapshot.hpp"

namespace gibbon::agent {
namespace {

constexpr const char* kPosted = "posted.json";

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(file), {}};
  return file.bad() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace

Result<DeclarativeInput> read_declarative(const Settings& settings, const Catalog& catalog) {
  std::string text = settings.declarative_config_string, name = "declarative_config_string";
  Declarative loaded;
  if (!settings.declarative_config.empty()) {
    name = settings.declarative_config;
    loaded = load_declarative_file(name, catalog, text);
  } else if (!text.empty()) {
    loaded = load_declarative_text(text, catalog);
  } else {
    return DeclarativeInput{};
  }
  if (!loaded.ok())
    return Error{"error parsing declarative config file " + name + ":\n" + loaded.error->text, ""};
  return DeclarativeInput{std::move(loaded.image), configuration_hash(text)};
}

Status keep_posted(const Paths& paths, const Image& image, const std::string& hash) {
  json::object kept{{"hash", hash}, {"configuration", export_declarative(image)}};
  return config::write_shared_file(paths.shared, kPosted, to_text(kept));
}

std::optional<DeclarativeInput> read_posted(const Paths& paths, const Catalog& catalog) {
  const auto text = read_file(paths.shared + "/" + kPosted);
  if (!text) return std::nullopt;
  boost::system::error_code failed;
  const auto kept = json::parse(*text, failed);
  const auto* object = kept.if_object();
  const auto* document = object == nullptr ? nullptr : object->if_contains("configuration");
  if (failed || document == nullptr || !document->is_object()) return std::nullopt;
  auto loaded = load_declarative(document->get_object(), catalog);
  if (!loaded.ok()) return std::nullopt;
  return DeclarativeInput{std::move(loaded.image), std::string(text_of(*object, "hash"))};
}

void forget_posted(const Paths& paths) { ::unlink((paths.shared + "/" + kPosted).c_str()); }

std::optional<DeclarativeInput> read_running(const config::Control& control, const Catalog& catalog) {
  const auto generation = control.page().generation.load();
  if (generation == 0) return std::nullopt;
  const auto text = read_file(config::snapshot_path(control.directory(), generation));
  if (!text) return std::nullopt;
  boost::system::error_code failed;
  const auto snapshot = json::parse(*text, failed);
  // A gateway without a database writes whole snapshots alone.
  if (failed || !snapshot.is_object() || snapshot.get_object().contains("base")) return std::nullopt;
  DeclarativeInput running{Image(catalog.shared_collections())};
  for (const auto& collection : catalog.collections()) {
    const auto* list = snapshot.get_object().if_contains(collection.name);
    if (list == nullptr || !list->is_array()) continue;
    for (const auto& entity : list->get_array())
      if (entity.is_object()) running.image.put(collection, entity.get_object());
  }
  return running;
}

}  // namespace gibbon::agent
