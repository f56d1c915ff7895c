#include "app/reference.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include "agent/store/catalog.hpp"
#include "app/commands.hpp"
#include "base/installation.hpp"
#include "config/settings.hpp"
#include "schema/reference.hpp"

namespace gibbon::app {
namespace {

constexpr const char* kNote =
    "<!-- Written by `./dev docs` from the rows in src/config/rows and plugins/*/schema.cpp: change those. "
    "-->\n\n";

std::string entities_page(const agent::Catalog& catalog) {
  std::string out =
      std::string("# Entities\n\n") + kNote +
      "What the configuration is made of: each is a collection of the Admin API and a list of the "
      "declarative file.\nWhat is not required and has no default is null. "
      "`GET /schemas/{entity}` says the same for programs.\n\n";
  for (const auto& collection : catalog.collections())
    out += "- [" + collection.name + "](#" + collection.name + "): " + collection.entity.description + "\n";
  for (const auto& collection : catalog.collections()) {
    out += "\n## " + collection.name + "\n\n" + collection.entity.description;
    if (!collection.endpoint_key.empty())
      out += " Paths name it by its id or its `" + collection.endpoint_key + "`.";
    out += "\n\n" + schema::reference_of(collection.entity.schema);
  }
  return out;
}

std::string plugins_page(const agent::Catalog& catalog) {
  std::string out =
      std::string("# Plugins\n\n") + kNote +
      "What each plugin's `config` holds. The fields that all plugins share are those of\n"
      "[plugins](entities.md#plugins); a plugin may narrow them down. `GET /schemas/plugins/{name}` says the "
      "same for programs.\n";
  std::vector<const PluginDescriptor*> plugins = catalog.plugins().all();
  std::sort(plugins.begin(), plugins.end(),
            [](const auto* a, const auto* b) { return std::string_view(a->name) < b->name; });
  for (const auto* plugin : plugins)
    out += "\n## " + std::string(plugin->name) + "\n\n" +
           schema::reference_of_plugin(*catalog.config_schema(plugin->name));
  return out;
}

std::vector<std::string> shipped_plugins(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& file : std::filesystem::directory_iterator(folder, failed))
    if (file.path().extension() == ".so") names.push_back(file.path().stem());
  return names;
}

}  // namespace

Result<std::vector<ReferencePage>> reference_pages() {
  const std::string folder = Installation::here().plugins;
  auto plugins = plugin::Registry::load(shipped_plugins(folder), {folder});
  if (!plugins) return plugins.error();
  const agent::Catalog catalog(std::make_shared<const plugin::Registry>(std::move(*plugins)));
  return std::vector<ReferencePage>{{"entities.md", entities_page(catalog)},
                                    {"plugins.md", plugins_page(catalog)}};
}

int write_reference(const std::string& directory) {
  const auto pages = reference_pages();
  if (!pages) return fail(pages.error());
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  for (const ReferencePage& page : *pages) {
    const std::string path = directory + "/" + page.file;
    std::ofstream out(path, std::ios::trunc);
    out << page.text;
    if (!out.flush()) return fail(Error{"cannot write " + path, ""});
    say(path);
  }
  return 0;
}

}  // namespace gibbon::app
