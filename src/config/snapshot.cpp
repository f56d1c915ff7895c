#include "config/snapshot.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/json_text.hpp"
#include "config/shared_file.hpp"
#include "config/vaults.hpp"

namespace gibbon::config {
namespace {

/// Reads the entities of one collection; an absent collection is an empty one.
template <typename Entity>
Status read_collection(const json::object& snapshot, const char* name,
                       Result<Entity> (*read)(const json::object&), std::vector<Entity>& out) {
  const json::value* collection = snapshot.if_contains(name);
  if (collection == nullptr) return {};
  if (!collection->is_array()) return Error{std::string("snapshot: ") + name + " is not an array", name};
  out.reserve(collection->get_array().size());
  for (const json::value& element : collection->get_array()) {
    if (!element.is_object())
      return Error{std::string("snapshot: ") + name + " holds something else than entities", name};
    Result<Entity> entity = read(element.get_object());
    if (!entity) return Error{"snapshot: " + entity.error().message, name};
    out.push_back(std::move(entity).value());
  }
  return {};
}

Result<std::string> read_file(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_error("cannot open " + path);
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t count = read(descriptor, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      Error error = system_error("cannot read " + path);
      close(descriptor);
      return error;
    }
    if (count == 0) break;
    text.append(buffer, static_cast<std::size_t>(count));
  }
  close(descriptor);
  return text;
}

void append_entities(const char* name, const json::array& entities, std::string& out) {
  out += ",\n\"" + std::string(name) + "\": [";
  for (std::size_t i = 0; i < entities.size(); ++i) {
    out += i > 0 ? ",\n" : "\n";
    append_text(entities[i], out);
  }
  out += "]";
}

/// Puts secrets in the places of their references. Plugins keep both: an endpoint is known by its references.
void insert_secrets(json::object& snapshot, const json::object& secrets) {
  for (auto& collection : snapshot) {
    if (!collection.value().is_array()) continue;
    for (json::value& entity : collection.value().get_array()) {
      const json::value stored = entity;
      if (!replace_references(entity, secrets) || collection.key() != "plugins") continue;
      entity.get_object()[kStoredConfig] = stored.at("config");
    }
  }
}

}  // namespace

Result<Snapshot> parse_snapshot(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 256;
  json::value value = json::parse(text, error, {}, options);
  if (error) return Error{"snapshot: not JSON: " + error.message(), {}};
  if (!value.is_object()) return Error{"snapshot: not an object", {}};
  json::object& object = value.get_object();
  if (const json::value* secrets = object.if_contains("secrets"); secrets != nullptr && secrets->is_object())
    insert_secrets(object, json::object(secrets->get_object()));

  Snapshot snapshot;
  const json::value* generation = object.if_contains("generation");
  if (generation == nullptr) return Error{"snapshot: no generation", "generation"};
  snapshot.generation = generation->to_number<std::uint64_t>(error);
  if (error) return Error{"snapshot: generation is not a positive integer", "generation"};

  Status status = read_collection(object, "services", service_from_json, snapshot.services);
  if (status) status = read_collection(object, "routes", route_from_json, snapshot.routes);
  if (status) status = read_collection(object, "plugins", plugin_from_json, snapshot.plugins);
  if (status) status = read_collection(object, "consumers", consumer_from_json, snapshot.consumers);
  if (status) status = read_collection(object, "upstreams", upstream_from_json, snapshot.upstreams);
  if (status) status = read_collection(object, "targets", target_from_json, snapshot.targets);
  if (status) status = read_collection(object, "certificates", certificate_from_json, snapshot.certificates);
  if (status) status = read_collection(object, "snis", sni_from_json, snapshot.snis);
  if (status) status = read_collection(object, "ca_certificates", ca_certificate_from_json, snapshot.ca_certificates);
  if (!status) return status.error();
  std::stable_sort(snapshot.targets.begin(), snapshot.targets.end(),
                   [](const Target& a, const Target& b) { return a.created_at < b.created_at; });
  std::erase_if(snapshot.plugins, [](const Plugin& plugin) { return !plugin.enabled; });
  return snapshot;
}

Result<Snapshot> load_snapshot(const std::string& directory, std::uint64_t generation) {
  const Result<std::string> text = read_file(snapshot_path(directory, generation));
  if (!text) return text.error();
  return parse_snapshot(*text);
}

Status save_snapshot(const std::string& directory, std::uint64_t generation, std::string_view text) {
  return write_shared_file(directory, "snapshot." + std::to_string(generation), text);
}

std::string serialize_snapshot(std::uint64_t generation, const std::vector<SnapshotCollection>& collections,
                               const json::object& secrets) {
  std::string out = "{\"generation\": " + std::to_string(generation);
  for (const SnapshotCollection& collection : collections)
    append_entities(collection.name.c_str(), collection.entities, out);
  if (!secrets.empty()) {
    out += ",\n\"secrets\": ";
    append_text(secrets, out);
  }
  return out + "}\n";
}

std::string snapshot_path(const std::string& directory, std::uint64_t generation) {
  return directory + "/snapshot." + std::to_string(generation);
}

}  // namespace gibbon::config
