#include "config/snapshot.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <type_traits>

#include "base/json_text.hpp"
#include "config/shared_file.hpp"
#include "config/vaults.hpp"
#include "gibbon/log_record.hpp"

namespace gibbon::config {
namespace {

/// Every collection that has a type: `visit(name, function that reads one entity, vector)`.
template <typename Visit>
void each_collection(Snapshot& snapshot, Visit&& visit) {
  visit("services", service_from_json, snapshot.services);
  visit("routes", route_from_json, snapshot.routes);
  visit("plugins", plugin_from_json, snapshot.plugins);
  visit("consumers", consumer_from_json, snapshot.consumers);
  visit("upstreams", upstream_from_json, snapshot.upstreams);
  visit("targets", target_from_json, snapshot.targets);
  visit("certificates", certificate_from_json, snapshot.certificates);
  visit("snis", sni_from_json, snapshot.snis);
  visit("ca_certificates", ca_certificate_from_json, snapshot.ca_certificates);
}

/// Those of two snapshots side by side: `visit(name, vector of the one, vector of the other)`.
template <typename Visit>
void each_pair(Snapshot& a, Snapshot& b, Visit&& visit) {
  each_collection(a, [&](const char* name, auto, auto& of_a) {
    each_collection(b, [&](const char*, auto, auto& of_b) {
      if constexpr (std::is_same_v<decltype(of_a), decltype(of_b)>) visit(name, of_a, of_b);
    });
  });
}

template <typename Entity>
bool before(const Entity& a, const Entity& b) {
  return a.id < b.id;
}
bool older(const Target& a, const Target& b) { return a.created_at < b.created_at; }

ShownText shown_text(const json::object& entity) {
  json::object shown;
  for (const auto& member : entity)
    if (!member.value().is_null()) shown[member.key()] = member.value();
  shown["ws_id"] = kWorkspaceId;
  return std::make_shared<const std::string>(to_text(shown));
}

/// Reads the entities of one collection; an absent collection is an empty one.
template <typename Entity>
Status read_collection(const json::object& collections, const char* name,
                       Result<Entity> (*read)(const json::object&), ShownTexts texts, std::vector<Entity>& out) {
  const json::value* collection = collections.if_contains(name);
  if (collection == nullptr) return {};
  if (!collection->is_array()) return Error{std::string("snapshot: ") + name + " is not an array", name};
  out.reserve(collection->get_array().size());
  for (const json::value& element : collection->get_array()) {
    if (!element.is_object())
      return Error{std::string("snapshot: ") + name + " holds something else than entities", name};
    Result<Entity> entity = read(element.get_object());
    if (!entity) return Error{"snapshot: " + entity.error().message, name};
    out.push_back(std::move(entity).value());
    if constexpr (requires { out.back().shown; })
      if (texts == ShownTexts::kKept) out.back().shown = shown_text(element.get_object());
  }
  if (!std::is_sorted(out.begin(), out.end(), before<Entity>)) std::sort(out.begin(), out.end(), before<Entity>);
  return {};
}

Status read_entities(const json::object& collections, ShownTexts texts, Snapshot& out) {
  Status status;
  each_collection(out, [&](const char* name, auto read, auto& entities) {
    if (status) status = read_collection(collections, name, read, texts, entities);
  });
  return status;
}

/// Plugins that are switched off do not run; targets stand by their age.
void settle(Snapshot& snapshot) {
  std::erase_if(snapshot.plugins, [](const Plugin& plugin) { return !plugin.enabled; });
  std::stable_sort(snapshot.targets.begin(), snapshot.targets.end(), older);
}

/// Lays `changed`, which is sorted, over `entities`, and takes away what `gone` names.
template <typename Entity>
void apply(std::vector<Entity> changed, std::vector<std::string> gone, std::vector<Entity>& entities) {
  if (changed.empty() && gone.empty()) return;
  if constexpr (std::is_same_v<Entity, Target>) std::sort(entities.begin(), entities.end(), before<Entity>);
  for (const Entity& entity : changed) gone.push_back(entity.id);
  std::sort(gone.begin(), gone.end());
  std::erase_if(entities, [&](const Entity& e) { return std::binary_search(gone.begin(), gone.end(), e.id); });
  const auto middle = static_cast<std::ptrdiff_t>(entities.size());
  entities.insert(entities.end(), std::make_move_iterator(changed.begin()), std::make_move_iterator(changed.end()));
  std::inplace_merge(entities.begin(), entities.begin() + middle, entities.end(), before<Entity>);
}

std::vector<std::string> texts(const json::object& collections, const char* name) {
  std::vector<std::string> out;
  const json::value* list = collections.if_contains(name);
  if (list == nullptr || !list->is_array()) return out;
  for (const json::value& element : list->get_array())
    if (element.is_string()) out.emplace_back(element.get_string());
  return out;
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
void insert_secrets(json::object& collections, const json::object& secrets) {
  for (auto& collection : collections) {
    if (!collection.value().is_array()) continue;
    for (json::value& entity : collection.value().get_array()) {
      const json::value stored = entity;
      if (!replace_references(entity, secrets) || collection.key() != "plugins") continue;
      entity.get_object()[kStoredConfig] = stored.at("config");
    }
  }
}

/// A snapshot's text as JSON, with its secrets in place.
Result<json::object> parse_text(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 256;
  json::value value = json::parse(text, error, {}, options);
  if (error) return Error{"snapshot: not JSON: " + error.message(), {}};
  if (!value.is_object()) return Error{"snapshot: not an object", {}};
  json::object& object = value.get_object();
  const json::value* secrets = object.if_contains("secrets");
  if (secrets == nullptr || !secrets->is_object() || secrets->get_object().empty()) return std::move(object);
  const json::object known = secrets->get_object();
  json::value* changed = object.if_contains("changed");
  insert_secrets(changed != nullptr && changed->is_object() ? changed->get_object() : object, known);
  return std::move(object);
}

/// A member that counts generations; 0 where it is missing.
Result<std::uint64_t> generation_in(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return std::uint64_t{0};
  boost::system::error_code error;
  const auto generation = value->to_number<std::uint64_t>(error);
  if (error) return Error{std::string("snapshot: ") + name + " is not a positive integer", name};
  return generation;
}

}  // namespace

Result<Snapshot> SnapshotReader::parse(std::string_view text) {
  Result<json::object> object = parse_text(text);
  if (!object) return object.error();
  const auto generation = generation_in(*object, "generation"), base = generation_in(*object, "base");
  if (!generation) return generation.error();
  if (!base) return base.error();
  if (*generation == 0) return Error{"snapshot: no generation", "generation"};

  Snapshot whole;
  if (*base == 0) {
    whole.generation = *generation;
    Status read = read_entities(*object, texts_, whole);
    if (read) read = read_plugin_entities(*object, whole.plugin_entities);
    if (!read) return read.error();
    settle(whole);
    base_ = whole;
    return whole;
  }
  if (base_.generation != *base) {
    if (auto loaded = load(*base); !loaded) return loaded.error();
    if (base_.generation != *base) return Error{"snapshot: its base is not whole", "base"};
  }
  const json::value *changed = object->if_contains("changed"), *removed = object->if_contains("removed");
  const json::object none;
  const auto members = [&](const json::value* value) -> const json::object& {
    return value != nullptr && value->is_object() ? value->get_object() : none;
  };
  Snapshot changes;
  Status read = read_entities(members(changed), texts_, changes);
  if (read) read = read_plugin_entities(members(changed), changes.plugin_entities);
  if (!read) return read.error();
  whole = base_;
  whole.generation = *generation;
  each_pair(changes, whole, [&](const char* name, auto& from, auto& to) {
    apply(std::move(from), texts(members(removed), name), to);
  });
  apply_plugin_entities(std::move(changes.plugin_entities), members(removed), whole.plugin_entities);
  settle(whole);
  return whole;
}

Result<Snapshot> SnapshotReader::load(std::uint64_t generation) {
  const Result<std::string> text = read_file(snapshot_path(directory_, generation));
  if (!text) return text.error();
  return parse(*text);
}

Result<Snapshot> parse_snapshot(std::string_view text) { return SnapshotReader("").parse(text); }

Result<Snapshot> load_snapshot(const std::string& directory, std::uint64_t generation, ShownTexts texts) {
  return SnapshotReader(directory, texts).load(generation);
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

std::string serialize_changes(std::uint64_t generation, std::uint64_t base, const std::vector<SnapshotChange>& changes,
                              const json::object& secrets) {
  json::object changed, removed;
  for (const SnapshotChange& change : changes) {
    json::value& list = (change.entity != nullptr ? changed : removed)[change.collection];
    if (list.is_null()) list.emplace_array();
    if (change.entity != nullptr) {
      list.get_array().emplace_back(*change.entity);
    } else {
      list.get_array().emplace_back(change.id);
    }
  }
  json::object out{{"generation", generation}, {"base", base}, {"changed", std::move(changed)}, {"removed", std::move(removed)}};
  if (!secrets.empty()) out["secrets"] = secrets;
  return to_text(out) + "\n";
}

std::string snapshot_path(const std::string& directory, std::uint64_t generation) {
  return directory + "/snapshot." + std::to_string(generation);
}

}  // namespace gibbon::config
