#include "agent/store/declarative_document.hpp"

#include <algorithm>

#include "agent/store/declarative_shapes.hpp"
#include "agent/store/lua_text.hpp"
#include "base/json_text.hpp"
#include "base/uuid.hpp"

namespace gibbon::agent {
namespace {

/// The lists that an entity of `collection` may hold: the child's collection, and its field.
std::vector<std::pair<const Collection*, std::string_view>> nested_in(const Collections& collections,
                                                                      const Collection& collection) {
  std::vector<std::pair<const Collection*, std::string_view>> found;
  for (const auto& child : collections)
    for (const auto& foreign : child.foreign)
      if (foreign.collection == collection.name) found.emplace_back(&child, foreign.field);
  return found;
}

std::string already_declared(const Collection& collection, const std::string& what) {
  return "uniqueness violation: '" + collection.name + "' entity with " + what + " already declared";
}

std::string set_to(std::string_view key, std::string_view value) {
  return std::string(key) + " set to '" + std::string(value) + "'";
}

/// The name that a reference may use, and that errors show: unique in its collection.
std::string_view name_of(const Collection& collection, const json::object& entity) {
  return collection.key_within_parent ? std::string_view() : text_of(entity, collection.endpoint_key);
}

}  // namespace

DeclarativeDocument::DeclarativeDocument(json::object root, std::shared_ptr<const Collections> collections)
    : root_(std::move(root)), collections_(std::move(collections)), image_(collections_) {
  if (const auto* transform = root_.if_contains("_transform"); transform != nullptr && *transform == false)
    values_ = Values::kStored;
  for (const auto& collection : *collections_) {
    auto* section = root_.if_contains(collection.name);
    if (section == nullptr || section->is_null()) continue;
    if (section->is_array()) {
      top_.emplace_back(collection.name, collect(section->get_array(), collection, nullptr, ""));
    } else {
      bad_sections_[collection.name] = "expected an array";
    }
  }
}

DeclarativeDocument::Nodes DeclarativeDocument::collect(json::array& list, const Collection& collection,
                                                        Node* parent, std::string_view field) {
  const auto nested = nested_in(*collections_, collection);
  Nodes nodes;
  for (auto& element : list) {
    auto& node = *nodes_.emplace_back(std::make_unique<Node>());
    nodes.push_back(&node);
    node.collection = &collection;
    node.parent = parent;
    node.parent_field = field;
    node.index = nodes.size();
    if (!element.is_object()) {
      node.error = "expected a record";
      continue;
    }
    node.raw = &element.get_object();
    for (auto& member : *node.raw) {
      const auto child = std::find_if(nested.begin(), nested.end(),
                                      [&](const auto& n) { return n.first->name == member.key(); });
      if (child == nested.end()) {
        node.entity[member.key()] = member.value();
      } else if (member.value().is_array()) {
        node.children.emplace_back(child->first->name,
                                   collect(member.value().get_array(), *child->first, &node, child->second));
      } else if (!member.value().is_null()) {
        node.bad_lists.emplace_back(child->first->name);
      }
    }
    by_collection_[collection.name].push_back(&node);
  }
  return nodes;
}

json::object DeclarativeDocument::check(const Catalog& catalog, json::object header) {
  for (const auto& collection : *collections_) {  // parents first, since children's ids are made of theirs
    for (auto* node : by_collection_[collection.name]) {
      resolve(*node);
      identify(*node);
      if (const auto name = name_of(collection, node->entity); !name.empty())
        by_key_.emplace(std::pair(std::string_view(collection.name), name), node);
      by_id_.emplace(std::pair(std::string_view(collection.name), node->id), node);
    }
  }
  for (const auto& node : nodes_)
    if (node->raw != nullptr) validate(*node, catalog);
  auto errors = std::move(header);
  add_trees(errors);
  if (!errors.empty()) {
    // Of a reference Kong says no more than this while something else is wrong as well.
    for (const auto& missing : missing_) {
      auto& error = missing.node->error;
      if (error.is_null()) error = json::object();
      if (error.is_object()) error.get_object()[missing.field] = json::object{{"id", "missing primary key"}};
    }
    add_trees(errors);
    return errors;
  }

  Sections sections;
  by_key_.clear();
  by_id_.clear();
  for (const auto& node : nodes_)
    if (node->id_is_kongs) (*node->raw)["id"] = node->id;
  for (const auto& collection : *collections_)
    for (auto* node : by_collection_[collection.name]) declare(*node, sections);
  add_missing(sections);
  if (sections.empty())
    for (const auto& collection : *collections_)
      for (auto* node : by_collection_[collection.name]) store(*node, sections);
  for (auto& [name, section] : sections) errors[name] = settle_places(std::move(section));
  return errors;
}

DeclarativeDocument::Node* DeclarativeDocument::find(std::string_view collection,
                                                     std::string_view key) const {
  const std::pair<std::string_view, std::string> wanted(collection, key);
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
    const auto* object = value == nullptr ? nullptr : value->if_object();
    if (value == nullptr || (object == nullptr && !value->is_string()))
      continue;  // null, or refused by its type
    const auto key =
        object != nullptr ? std::string(text_of(*object, "id")) : std::string(value->get_string());
    if (key.empty()) {
      if (object == nullptr) continue;
      if (!node.error.is_object()) node.error = json::object();
      node.error.get_object()[foreign.field] = json::object{{"id", "missing primary key"}};
      value->emplace_null();
      continue;
    }
    const auto* target = find(foreign.collection, key);
    if (target == nullptr)
      missing_.push_back({&node, foreign.field,
                          "invalid reference '" + foreign.field + ": " +
                              (object != nullptr ? to_text(*object) : key) + "' (no such entry in '" +
                              foreign.collection + "')"});
    *value = json::object{{"id", target != nullptr ? target->id : uuid_v4()}};
  }
}

void DeclarativeDocument::validate(Node& node, const Catalog& catalog) {
  json::object problems;
  const auto take = [&](const char* key, bool right, const char* message) {
    if (node.entity.contains(key) && !node.entity.at(key).is_null() && !right) problems[key] = message;
    node.entity.erase(key);
  };
  const auto* comment = node.entity.if_contains("_comment");
  take("_comment", comment != nullptr && comment->is_string(), "expected a string");
  const auto* ignore = node.entity.if_contains("_ignore");
  take("_ignore", ignore != nullptr && ignore->is_array(), "expected an array");
  const auto* updated = node.entity.if_contains("updated_at");
  const json::value changed_last = updated != nullptr && updated->is_number() ? *updated : json::value();

  auto checked = catalog.check_insert(*node.collection, std::move(node.entity), values_);
  for (auto& [field, message] : checked.violations.fields) problems[field] = message;
  if (node.error.is_object())
    for (auto& [field, message] : node.error.get_object()) problems[field] = message;
  node.error = problems.empty() ? json::value() : json::value(std::move(problems));
  node.entity = std::move(checked.entity);
  // What was exported and is read back is not changed by that.
  if (!changed_last.is_null() && node.entity.contains("updated_at")) node.entity["updated_at"] = changed_last;
}

void DeclarativeDocument::declare(Node& node, Sections& errors) {
  const auto& collection = *node.collection;
  const auto refuse = [&](const std::string& what) {
    auto message = json::value(already_declared(collection, what));
    if (node.parent == nullptr) {
      errors[collection.name][place(node.index)] = std::move(message);
      return;
    }
    auto& parent = errors[node.parent->collection->name][place(node.parent->index)];
    if (!parent.is_object()) parent = json::object();
    auto& list = parent.get_object()[collection.name];
    if (!list.is_object()) list = json::object();
    list.get_object()[place(node.index)] = std::move(message);
  };
  const std::string name(name_of(collection, node.entity));
  if (!name.empty() && !by_key_.emplace(std::pair(std::string_view(collection.name), name), &node).second)
    return refuse(set_to(collection.endpoint_key, name));
  if (!by_id_.emplace(std::pair(std::string_view(collection.name), node.id), &node).second)
    refuse(set_to("primary key", node.id));
}

void DeclarativeDocument::add_missing(Sections& errors) const {
  for (const auto& [node, field, text] : missing_) {
    const auto name = name_of(*node->collection, node->entity);
    auto& messages = errors[node->collection->name][name.empty() ? std::string_view(node->id) : name];
    if (!messages.is_array()) messages = json::array();
    messages.get_array().emplace_back(text);
  }
}

void DeclarativeDocument::store(Node& node, Sections& errors) {
  const auto& collection = *node.collection;
  const auto taken = image_.collision(collection, node.entity);
  if (!taken) return image_.put(collection, std::move(node.entity));
  const auto name = text_of(node.entity, collection.endpoint_key);
  const auto what = taken->size() == 1 && taken->begin()->value().is_string()
                        ? set_to(taken->begin()->key(), taken->begin()->value().get_string())
                        : lua_text(*taken);
  errors[collection.name][name.empty() ? std::string_view(node.id) : name] =
      already_declared(collection, what);
}

}  // namespace gibbon::agent
