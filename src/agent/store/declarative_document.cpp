#include "agent/store/declarative_document.hpp"

#include <algorithm>

#include "agent/store/lua_text.hpp"
#include "base/json_text.hpp"
#include "base/uuid.hpp"

namespace gibbon::agent {
namespace {

/// The namespace in which Kong derives the ids of declarative entities.
constexpr const char* kEntities = "fd02801f-0957-4a15-a55a-c8d9606f30b5";

std::string derive_id(const std::string& collection, std::string_view key) {
  return uuid_v5(uuid_v5(kEntities, collection), key);
}

/// Before format 3.0 a path that looked like a pattern was one.
void migrate_paths(json::object& route) {
  auto* paths = route.if_contains("paths");
  if (paths == nullptr || !paths->is_array()) return;
  for (auto& path : paths->get_array()) {
    if (!path.is_string() || path.get_string().starts_with("~")) continue;
    const auto plain = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view(".-_~/%").find(c) != std::string_view::npos;
    };
    const auto& text = path.get_string();
    if (!std::all_of(text.begin(), text.end(), plain)) path = "~" + std::string(text);
  }
}

std::string uniqueness(const Collection& collection, std::string_view key, std::string_view value) {
  return "uniqueness violation: '" + collection.name + "' entity with " + std::string(key) + " set to '" +
         std::string(value) + "' already declared";
}

}  // namespace

DeclarativeDocument::DeclarativeDocument(const json::object& root, std::shared_ptr<const Collections> collections)
    : collections_(std::move(collections)), image_(collections_) {
  const auto* version = root.if_contains("_format_version");
  old_format_ = version != nullptr && (*version == "1.1" || *version == "2.1");
  for (const auto& collection : *collections_) {
    const auto* section = root.if_contains(collection.name);
    if (section == nullptr || section->is_null()) continue;
    if (!section->is_array()) {
      bad_sections_[collection.name] = "expected an array";
      continue;
    }
    top_.emplace_back(collection.name, collect(section->get_array(), collection, nullptr, ""));
  }
}

DeclarativeDocument::Nodes DeclarativeDocument::collect(const json::array& list, const Collection& collection,
                                                        Node* parent, std::string_view field) {
  Nodes nodes;
  for (const auto& element : list) {
    auto& node = *nodes.emplace_back(std::make_unique<Node>());
    node.collection = &collection;
    node.parent = parent;
    node.parent_field = field;
    if (!element.is_object()) {
      node.error = "expected a record";
      continue;
    }
    node.raw = &element.get_object();
    node.entity = *node.raw;
    node.entity.erase("_comment");
    node.entity.erase("_ignore");
    for (const auto& child : *collections_)
      for (const auto& foreign : child.foreign) {
        if (foreign.collection != collection.name) continue;
        const auto* nested = node.raw->if_contains(child.name);
        if (nested == nullptr) continue;
        node.entity.erase(child.name);
        if (nested->is_array()) {
          node.children.emplace_back(child.name, collect(nested->get_array(), child, &node, foreign.field));
        } else if (!nested->is_null()) {
          node.bad_lists.emplace_back(child.name, "expected an array");
        }
      }
    by_collection_[collection.name].push_back(&node);
  }
  return nodes;
}

void DeclarativeDocument::check(const Catalog& catalog) {
  for (const auto& collection : *collections_) {  // parents first, since children's ids are made of theirs
    auto& nodes = by_collection_[collection.name];
    for (auto* node : nodes) {
      resolve(*node);
      identify(*node);
    }
    for (auto* node : nodes) declare(*node);
  }
  for (const auto& collection : *collections_)
    for (auto* node : by_collection_[collection.name]) validate(*node, catalog);
}

DeclarativeDocument::Node* DeclarativeDocument::find(std::string_view collection, std::string_view key) {
  const std::pair<std::string, std::string> wanted(collection, key);
  if (const auto named = by_key_.find(wanted); named != by_key_.end()) return named->second;
  const auto found = by_id_.find(wanted);
  return found == by_id_.end() ? nullptr : found->second;
}

void DeclarativeDocument::resolve(Node& node) {
  for (const auto& foreign : node.collection->foreign) {
    auto* value = node.entity.if_contains(foreign.field);
    if (node.parent != nullptr && node.parent_field == foreign.field) {
      if (value != nullptr && !value->is_null())
        node.error = json::object{{foreign.field, "value must be null"}};
      node.entity[foreign.field] = json::object{{"id", node.parent->id}};
      continue;
    }
    if (value == nullptr || value->is_null()) continue;
    std::string key;
    if (const auto* text = value->if_string()) {
      key = *text;
    } else if (const auto* object = value->if_object(); object != nullptr && object->size() == 1) {
      key = text_of(*object, object->begin()->key());
    }
    if (key.empty()) continue;  // of no type that refers: validation says so
    const auto* target = find(foreign.collection, key);
    if (target == nullptr) note_broken(node, foreign.field, *value, foreign.collection);
    node.entity[foreign.field] = json::object{{"id", target != nullptr ? target->id : uuid_v4()}};
  }
}

void DeclarativeDocument::note_broken(const Node& node, std::string_view field, const json::value& value,
                                      std::string_view collection) {
  const auto& own = *node.collection;
  auto at = std::string(text_of(node.entity, own.endpoint_key));
  if (at.empty()) at = text_of(node.entity, "id");
  if (at.empty()) {
    const auto& all = by_collection_[own.name];
    at = std::to_string(std::find(all.begin(), all.end(), &node) - all.begin() + 1);
  }
  auto& section = broken_references_[own.name];
  if (!section.is_object()) section = json::object();
  auto& messages = section.get_object()[at];
  if (!messages.is_array()) messages = json::array();
  messages.get_array().push_back(
      json::value("invalid reference '" + std::string(field) + ": " +
                  (value.is_string() ? std::string(value.get_string()) : to_text(value)) +
                  "' (no such entry in '" + std::string(collection) + "')"));
}

void DeclarativeDocument::identify(Node& node) {
  const auto& collection = *node.collection;
  node.id = text_of(node.entity, "id");
  if (!node.id.empty() || node.entity.contains("id")) return;
  std::string key(text_of(node.entity, collection.endpoint_key));
  if (key.empty() && !collection.cache_key().empty()) {
    key = collection.name;
    for (const auto& field : collection.cache_key()) {
      key += ':';
      const auto parent = foreign_id(node.entity, field);
      key += parent.empty() ? text_of(node.entity, field) : parent;
    }
  } else if (key.empty()) {
    // Kong gives entities without a name a random id; ours depends on their content, so that a reload keeps
    // it.
    key = collection.name + ":" + to_text(node.entity);
    for (int copy = 2; by_id_.contains({collection.name, derive_id(collection.name, key)}); ++copy)
      key = collection.name + ":" + to_text(node.entity) + ":" + std::to_string(copy);
    by_id_[{collection.name, derive_id(collection.name, key)}] = &node;
  }
  node.id = derive_id(collection.name, key);
  node.entity["id"] = node.id;
}

void DeclarativeDocument::declare(Node& node) {
  const auto& collection = *node.collection;
  if (node.id.empty()) return;
  if (const auto [other, fresh] = by_id_.emplace(std::pair(collection.name, node.id), &node);
      !fresh && other->second != &node)
    node.error = uniqueness(collection, "primary key", node.id);
  const std::string key(text_of(node.entity, collection.endpoint_key));
  if (key.empty()) return;
  if (!by_key_.emplace(std::pair(collection.name, key), &node).second && node.error.is_null())
    node.error = uniqueness(collection, collection.endpoint_key, key);
}

void DeclarativeDocument::validate(Node& node, const Catalog& catalog) {
  if (node.error.is_string()) return;
  if (old_format_ && node.collection->name == "routes") migrate_paths(node.entity);
  auto checked = catalog.check_insert(*node.collection, node.entity);
  if (!checked.ok()) {
    if (!node.error.is_object()) node.error = json::object();
    for (auto& [field, message] : checked.violations.fields) node.error.get_object().emplace(field, message);
  }
  if (!node.error.is_null()) return;
  if (const auto taken = image_.collision(*node.collection, checked.entity)) {
    node.error = "uniqueness violation: '" + node.collection->name + "' entity with " + lua_text(*taken) +
                 " already declared";
    return;
  }
  image_.put(*node.collection, std::move(checked.entity));
}

}  // namespace gibbon::agent
