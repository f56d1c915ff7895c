#include "config/plugin_entities.hpp"

#include <algorithm>
#include <iterator>

#include "base/json_text.hpp"
#include "config/entity_schemas.hpp"

namespace gibbon::config {
namespace {

bool before(const std::shared_ptr<const PluginEntity>& a, const std::shared_ptr<const PluginEntity>& b) {
  return a->id < b->id;
}

bool is_plugins_collection(std::string_view name, const json::value& value) {
  return value.is_array() && entity_schema(name) == nullptr;
}

PluginEntity from_json(const json::object& object) {
  PluginEntity entity;
  for (const auto& member : object) {
    const std::string_view name = member.key();
    const json::value& value = member.value();
    std::string text;
    if (value.is_string()) {
      text = value.get_string();
    } else if (value.is_object()) {
      const json::value* id = value.get_object().if_contains("id");
      if (id != nullptr && id->is_string()) text = id->get_string();
    } else if (value.is_bool() || value.is_number()) {
      text = to_text(value);
    }
    if (name == "id") entity.id = text;
    if (name == "consumer") entity.consumer_id = text;
    if (name == "ttl" && value.is_int64()) entity.expires_at_s = value.get_int64();
    if (!text.empty()) entity.fields.emplace_back(name, std::move(text));
  }
  return entity;
}

}  // namespace

Status read_plugin_entities(const json::object& collections, PluginCollections& out) {
  for (const auto& member : collections) {
    if (!is_plugins_collection(member.key(), member.value())) continue;
    const std::string name(member.key());
    PluginEntities& entities = out[name];
    for (const json::value& element : member.value().get_array()) {
      if (!element.is_object())
        return Error{"snapshot: " + name + " holds something else than entities", name};
      PluginEntity entity = from_json(element.get_object());
      if (entity.id.empty()) return Error{"snapshot: " + name + ": an entity has no id", name};
      entities.push_back(std::make_shared<const PluginEntity>(std::move(entity)));
    }
    std::sort(entities.begin(), entities.end(), before);
  }
  return {};
}

void apply_plugin_entities(PluginCollections changed, const json::object& removed, PluginCollections& whole) {
  for (const auto& member : removed)
    if (is_plugins_collection(member.key(), member.value())) changed[std::string(member.key())];
  for (auto& [name, fresh] : changed) {
    std::vector<std::string> gone;
    for (const auto& entity : fresh) gone.push_back(entity->id);
    if (const json::value* ids = removed.if_contains(name); ids != nullptr && ids->is_array())
      for (const json::value& id : ids->get_array())
        if (id.is_string()) gone.emplace_back(id.get_string());
    std::sort(gone.begin(), gone.end());
    PluginEntities& entities = whole[name];
    std::erase_if(entities,
                  [&](const auto& e) { return std::binary_search(gone.begin(), gone.end(), e->id); });
    PluginEntities merged;
    std::merge(entities.begin(), entities.end(), fresh.begin(), fresh.end(), std::back_inserter(merged),
               before);
    entities = std::move(merged);
  }
}

}  // namespace gibbon::config
