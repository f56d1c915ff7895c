// POST /config?flatten_errors=1: what is wrong, entity by entity instead of in the document's shape.
#include <algorithm>

#include "agent/store/declarative_shapes.hpp"
#include "agent/store/image.hpp"
#include "base/uuid.hpp"

namespace gibbon::agent {
namespace {

/// Kong walks its tables from the last key to the first.
std::vector<std::string> keys_descending(const json::object& object) {
  std::vector<std::string> keys;
  for (const auto& member : object) keys.emplace_back(member.key());
  std::sort(keys.rbegin(), keys.rend());
  return keys;
}

void add_entity_messages(const json::value& error, json::array& out) {
  if (const auto* list = error.if_array()) {
    for (const auto& message : *list) add_entity_messages(message, out);
  } else {
    out.push_back(json::object{{"type", "entity"}, {"message", error}});
  }
}

void categorize(const std::string& path, const json::value& error, json::array& out) {
  const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  if (const auto* object = error.if_object()) {
    for (const auto& key : keys_descending(*object)) {
      const auto& value = *object->if_contains(key);
      if (key == "@entity") {
        add_entity_messages(value, out);
      } else {
        categorize(below(key), value, out);
      }
    }
  } else if (const auto* list = error.if_array()) {
    for (std::size_t i = list->size(); i > 0; --i)
      if (!(*list)[i - 1].is_null()) categorize(below(std::to_string(i)), (*list)[i - 1], out);
  } else {
    out.push_back(json::object{{"type", "field"}, {"field", path}, {"message", error}});
  }
}

json::value primary_key(const json::object& entity) {
  const auto id = text_of(entity, "id");
  return is_uuid(id) ? json::value(json::object{{"id", id}}) : json::value();
}

class Flattener {
 public:
  explicit Flattener(const Collections& collections) : collections_(collections) {}

  void add(const Collection& collection, json::object entity, json::value error) {
    if (error.is_string()) error = json::object{{"@entity", json::array{std::move(error)}}};
    if (!error.is_object()) return;
    auto& errors = error.get_object();
    const auto key = primary_key(entity);
    add_parents(collection, entity, errors);
    add_children(collection, entity, errors, key);
    if (errors.empty()) return;
    json::array messages;
    categorize("", error, messages);
    json::object item{{"errors", std::move(messages)}, {"entity_type", singular(collection.name)}};
    if (const auto name = text_of(entity, "name"); !name.empty()) item["entity_name"] = name;
    if (!key.is_null()) item["entity_id"] = key.at("id");
    if (const auto* tags = entity.if_contains("tags"); tags != nullptr && tags->is_array()) {
      const auto& list = tags->get_array();
      if (std::all_of(list.begin(), list.end(), [](const auto& tag) { return tag.is_string(); }))
        item["entity_tags"] = *tags;
    }
    item["entity"] = std::move(entity);
    out_.push_back(std::move(item));
  }

  json::array take() { return std::move(out_); }

 private:
  /// What is wrong with an entity that this one holds as a reference.
  void add_parents(const Collection& collection, json::object& entity, json::object& errors) {
    for (const auto& foreign : collection.foreign) {
      auto* value = entity.if_contains(foreign.field);
      if (value == nullptr || !value->is_object()) continue;
      const auto* error = errors.if_contains(foreign.field);
      if (error == nullptr) continue;
      auto parent = std::move(value->get_object());
      auto wrong = *error;
      if (auto key = primary_key(parent); key.is_null()) {
        entity.erase(foreign.field);
      } else {
        *value = std::move(key);
      }
      errors.erase(foreign.field);
      add(collections_.at(foreign.collection), std::move(parent), std::move(wrong));
    }
  }

  void add_children(const Collection& collection, json::object& entity, json::object& errors,
                    const json::value& key) {
    for (const auto& child : collections_)
      for (const auto& foreign : child.foreign) {
        if (foreign.collection != collection.name) continue;
        auto* list = entity.if_contains(child.name);
        if (list == nullptr || !list->is_array()) continue;
        auto children = std::move(list->get_array());
        entity.erase(child.name);
        auto* nested = errors.if_contains(child.name);
        if (nested == nullptr) continue;
        const auto wrong = nested->is_array() ? std::move(nested->get_array()) : json::array();
        errors.erase(child.name);
        for (std::size_t i = 0; i < children.size() && i < wrong.size(); ++i) {
          if (wrong[i].is_null() || !children[i].is_object()) continue;
          auto& item = children[i].get_object();
          if (!key.is_null() && !item.contains(foreign.field)) item[foreign.field] = key;
          add(child, std::move(item), wrong[i]);
        }
      }
  }

  const Collections& collections_;
  json::array out_;
};

}  // namespace

json::array flatten_errors(const Collections& collections, json::object root, json::object& errors) {
  Flattener flattener(collections);
  for (const auto& name : keys_descending(errors)) {
    const auto* collection = collections.find(name);
    auto* section = errors.if_contains(name);
    auto* entities = root.if_contains(name);
    if (collection == nullptr || !section->is_array() || entities == nullptr || !entities->is_array())
      continue;
    auto& wrong = section->get_array();
    auto& list = entities->get_array();
    bool all_shown = true;
    for (std::size_t i = wrong.size(); i > 0; --i) {
      if (wrong[i - 1].is_null()) continue;
      if (i > list.size() || !list[i - 1].is_object()) {
        all_shown = false;  // no entity: the message stays where it is
        continue;
      }
      flattener.add(*collection, std::move(list[i - 1].get_object()), std::move(wrong[i - 1]));
      wrong[i - 1] = nullptr;
    }
    if (all_shown) errors.erase(name);
  }
  return flattener.take();
}

}  // namespace gibbon::agent
