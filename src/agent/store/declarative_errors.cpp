// Where the errors of a declarative document stand, in either shape.
#include <algorithm>

#include "agent/store/declarative_document.hpp"
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

void categorize(const std::string& path, const json::value& error, json::array& out);

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
  } else if (const auto* array = error.if_array()) {
    for (std::size_t i = array->size(); i > 0; --i)
      if (!(*array)[i - 1].is_null()) categorize(below(std::to_string(i)), (*array)[i - 1], out);
  } else if (path.empty()) {
    add_entity_messages(error, out);
  } else {
    out.push_back(json::object{{"type", "field"}, {"field", path}, {"message", error}});
  }
}

}  // namespace

json::value DeclarativeDocument::tree(const Node& node) {
  json::value error = node.error;
  const auto nest = [&](const std::string& name, const json::value& value) {
    if (value.is_null()) return;
    if (error.is_null()) error = json::object();
    // A message about the whole entity gives way to a record, so that its children's errors are shown as
    // well.
    if (error.is_string()) error = json::object{{"@entity", json::array{error}}};
    error.get_object()[name] = value;
  };
  for (const auto& [name, message] : node.bad_lists) nest(name, message);
  for (const auto& [name, children] : node.children) nest(name, tree(children));
  return error;
}

json::value DeclarativeDocument::tree(const Nodes& nodes) {
  json::array errors;
  std::size_t wrong = 0;
  for (const auto& node : nodes) {
    errors.push_back(tree(*node));
    if (!errors.back().is_null()) wrong = errors.size();
  }
  if (wrong == 0) return nullptr;
  errors.resize(wrong);
  return errors;
}

void DeclarativeDocument::add_errors(json::object& errors) const {
  for (const auto& [name, message] : bad_sections_) errors[name] = message;
  for (const auto& [name, nodes] : top_)
    if (auto section = tree(nodes); !section.is_null()) errors[name] = std::move(section);
}

void DeclarativeDocument::flatten(const Nodes& nodes, json::array& out) {
  for (auto entry = nodes.rbegin(); entry != nodes.rend(); ++entry) {
    const auto& node = **entry;
    for (const auto& [name, children] : node.children) flatten(children, out);
    json::value own = node.error;
    for (const auto& [name, message] : node.bad_lists) {
      if (!own.is_object()) own = json::object();
      own.get_object()[name] = message;
    }
    if (own.is_null() || node.raw == nullptr) continue;
    auto raw = *node.raw;
    for (const auto& [name, children] : node.children) raw.erase(name);
    if (node.parent != nullptr && !raw.contains(node.parent_field))
      if (const auto id = text_of(*node.parent->raw, "id"); is_uuid(id))
        raw[node.parent_field] = json::object{{"id", id}};
    json::array messages;
    categorize("", own, messages);
    json::object item{{"errors", std::move(messages)}, {"entity_type", singular(node.collection->name)}};
    if (const auto name = text_of(raw, "name"); !name.empty()) item["entity_name"] = name;
    if (const auto id = text_of(raw, "id"); is_uuid(id)) item["entity_id"] = id;
    if (const auto* tags = raw.if_contains("tags"); tags != nullptr && tags->is_array())
      item["entity_tags"] = *tags;
    item["entity"] = std::move(raw);
    out.push_back(std::move(item));
  }
}

json::array DeclarativeDocument::flatten_errors(json::object& errors) const {
  json::array flattened;
  for (auto section = top_.rbegin(); section != top_.rend(); ++section) {
    const auto before = flattened.size();
    flatten(section->second, flattened);
    // Elements that are no records cannot be shown as entities: their messages stay where they are.
    const bool all_shown = std::all_of(section->second.begin(), section->second.end(),
                                       [](const auto& node) { return node->raw != nullptr; });
    if (all_shown && flattened.size() > before) errors.erase(section->first);
  }
  return flattened;
}

}  // namespace gibbon::agent
