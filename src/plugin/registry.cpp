#include "plugin/registry.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <utility>

#include "base/bundle.hpp"
#include "plugin/trial.hpp"
#include "schema/json_config_view.hpp"
#include "schema/metaschema.hpp"

namespace gibbon::plugin {
namespace {

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

std::string file_of(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name) + ".so";
}

/// A name is the name of a file too: it must not leave its directory.
bool is_plugin_name(std::string_view name) {
  return !name.empty() && name[0] != '.' && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

std::vector<std::string> expand(const std::vector<std::string>& names, const std::vector<std::string>& directories) {
  std::vector<std::string> result;
  const auto add = [&result](std::string_view name) {
    if (std::find(result.begin(), result.end(), name) == result.end()) result.emplace_back(name);
  };
  if (names.size() == 1 && names[0] == "off") return result;
  for (const std::string& name : names) {
    if (name != "bundled") {
      add(name);
      continue;
    }
    for (const std::string_view bundled : kBundle) {
      if (!directories.empty() && is_file(file_of(directories[0], bundled))) add(bundled);
    }
  }
  return result;
}

Result<const PluginDescriptor*> load_file(const Found& found) {
  const std::string &name = found.name, &file = found.file;
  const auto failure = [&found](const std::string& what) { return Error{found.say(what), ""}; };
  // Never unloaded: descriptors, threads and C++ statics of a plugin live as long as the process.
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* reason = dlerror();
    return failure(std::string("cannot be loaded: ") + (reason != nullptr ? reason : "unknown reason"));
  }
  const auto entry = reinterpret_cast<PluginEntryPoint>(dlsym(library, kPluginEntryPoint));
  if (entry == nullptr) {
    return failure(std::string("has no entry point '") + kPluginEntryPoint + "'; a plugin ends with GIBBON_PLUGIN(...)");
  }
  const PluginDescriptor* plugin = nullptr;
  try {
    plugin = entry();
  } catch (const std::exception& thrown) {
    return failure(std::string("its entry point threw: ") + thrown.what());
  } catch (...) {
    return failure("its entry point threw something that is no std::exception");
  }
  if (plugin == nullptr) return failure("its entry point returned nothing");
  // Nothing but the version may be looked at before it is known to be ours.
  if (plugin->abi_version != kPluginAbiVersion) {
    return failure("was built for version " + std::to_string(plugin->abi_version) + " of the plugin kit, expected " +
                   std::to_string(kPluginAbiVersion) + "; build it again with this release's headers");
  }
  if (plugin->name == nullptr || plugin->name != name) {
    return failure("calls itself '" + std::string(plugin->name != nullptr ? plugin->name : "") + "', expected '" + name +
                   "'; file and plugin must have one name");
  }
  if (plugin->toolchain == nullptr || std::string_view(plugin->toolchain) != kPluginToolchain) {
    return failure("was built with " + std::string(plugin->toolchain != nullptr ? plugin->toolchain : "nothing known") +
                   ", expected " + kPluginToolchain + "; build it with this release's compiler and flags");
  }
  if (plugin->version == nullptr || plugin->schema == nullptr || plugin->make_config == nullptr ||
      plugin->free_config == nullptr) {
    return failure("its descriptor is incomplete; it must be made by GIBBON_PLUGIN(...)");
  }
  if (plugin->response != nullptr && (plugin->header_filter != nullptr || plugin->body_filter != nullptr)) {
    return failure("has response beside header_filter or body_filter; response holds the whole answer, do their work there");
  }
  std::string mistakes;
  const char* what = "schema";
  try {
    for (const std::string& mistake : schema::mistakes_in(plugin->schema())) mistakes += "; " + mistake;
    what = "entities()";
    if (plugin->entities != nullptr) {
      for (const Entity& entity : plugin->entities())
        for (const std::string& mistake : schema::mistakes_in(entity.schema)) mistakes += "; " + entity.name + ": " + mistake;
    }
    what = "metrics()";
    if (plugin->metrics != nullptr) plugin->metrics();
  } catch (const std::exception& thrown) {
    return failure(std::string("its ") + what + " threw: " + thrown.what());
  } catch (...) {
    return failure(std::string("its ") + what + " threw something that is no std::exception");
  }
  if (!mistakes.empty()) return failure("has mistakes in its schema" + mistakes);
  return plugin;
}

/// The files of plugins, and what is wrong with those that have none.
std::vector<Found> find_files(const std::vector<std::string>& names, const std::vector<std::string>& directories) {
  std::vector<Found> found;
  for (const std::string& name : expand(names, directories)) {
    found.push_back({name, "", ""});
    if (!is_plugin_name(name)) {
      found.back().problem = "plugin '" + name + "': not a name; expected that of a file <name>.so in the plugin directory";
      continue;
    }
    std::string searched;
    for (const std::string& directory : directories) {
      if (is_file(file_of(directory, name))) {
        found.back().file = file_of(directory, name);
        break;
      }
      searched += (searched.empty() ? "" : ", ") + file_of(directory, name);
    }
    if (found.back().file.empty()) {
      found.back().problem = "plugin '" + name + "' is not installed; looked for " +
                             (searched.empty() ? "it nowhere: no plugin directory is set" : searched);
    }
  }
  return found;
}

/// All problems, one line each. Empty: none.
std::string problems_of(const std::vector<Found>& plugins) {
  std::string problems;
  for (const Found& plugin : plugins)
    if (!plugin.problem.empty()) problems += (problems.empty() ? "" : "\n") + plugin.problem;
  return problems;
}

}  // namespace

Status Registry::try_load(const std::vector<std::string>& names, const std::vector<std::string>& directories) {
  std::vector<Found> plugins = find_files(names, directories);
  try_in_children(plugins, [](const Found& plugin) -> Status {
    const auto loaded = load_file(plugin);
    return loaded ? Status() : Status(loaded.error());
  });
  std::string problems = problems_of(plugins);
  return problems.empty() ? Status() : Status(Error{std::move(problems), "plugins"});
}

Result<Registry> Registry::load(const std::vector<std::string>& names, const std::vector<std::string>& directories) {
  if (Status tried = try_load(names, directories); !tried) return tried.error();
  std::vector<Found> plugins = find_files(names, directories);
  std::vector<const PluginDescriptor*> loaded;
  for (Found& plugin : plugins) {
    if (!plugin.problem.empty()) continue;
    if (auto descriptor = load_file(plugin)) {
      loaded.push_back(*descriptor);
    } else {
      plugin.problem = descriptor.error().message;
    }
  }
  if (std::string problems = problems_of(plugins); !problems.empty()) return Error{std::move(problems), "plugins"};
  return of(std::move(loaded));
}

Registry Registry::of(std::vector<const PluginDescriptor*> descriptors) {
  Registry registry;
  registry.plugins_ = std::move(descriptors);
  std::sort(registry.plugins_.begin(), registry.plugins_.end(), [](const auto* a, const auto* b) {
    if (a->priority != b->priority) return a->priority > b->priority;
    return std::string_view(a->name) < b->name;
  });
  return registry;
}

const PluginDescriptor* Registry::find(std::string_view name) const {
  const auto found =
      std::find_if(plugins_.begin(), plugins_.end(), [name](const auto* plugin) { return plugin->name == name; });
  return found == plugins_.end() ? nullptr : *found;
}

Result<ConfigObject> ConfigObject::make(const PluginDescriptor& plugin, const json::object& config) {
  const auto failure = [&plugin](const std::string& what) {
    return Error{"plugin '" + std::string(plugin.name) + "' refuses its configuration: " + what, "config"};
  };
  try {
    return ConfigObject(&plugin, plugin.make_config(schema::JsonConfigView(config)));
  } catch (const std::exception& thrown) {
    return failure(thrown.what());
  } catch (...) {
    return failure("it threw something that is no std::exception");
  }
}

ConfigObject::ConfigObject(ConfigObject&& other) noexcept
    : plugin_(other.plugin_), config_(std::exchange(other.config_, nullptr)) {}

ConfigObject& ConfigObject::operator=(ConfigObject&& other) noexcept {
  std::swap(plugin_, other.plugin_);
  std::swap(config_, other.config_);
  return *this;
}

ConfigObject::~ConfigObject() {
  if (config_ != nullptr) plugin_->free_config(config_);
}

}  // namespace gibbon::plugin
