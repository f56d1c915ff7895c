#include "agent/store/image.hpp"

#include <algorithm>

#include "agent/store/offset.hpp"
#include "agent/store/ttl.hpp"

namespace gibbon::agent {
namespace {

std::string key_of(std::string_view field, std::string_view value) {
  std::string key(field);
  key += '\0';
  key += value;
  return key;
}

/// The values of the entity's cache key; empty where its collection has none.
std::string composite_value(const Collection& collection, const json::object& entity) {
  std::string value;
  for (const auto& field : collection.cache_key()) {
    const auto* member = entity.if_contains(field);
    value += member != nullptr && member->is_object() ? foreign_id(entity, field) : text_of(entity, field);
    value += ':';
  }
  return value;
}

constexpr const char* kComposite = "@";

bool has_tag(const json::object& entity, std::string_view tag) {
  const auto* tags = entity.if_contains("tags");
  if (tags == nullptr || !tags->is_array()) return false;
  return std::any_of(tags->get_array().begin(), tags->get_array().end(),
                     [&](const json::value& v) { return v.is_string() && v.get_string() == tag; });
}

bool matches(const json::object& entity, const PageQuery& query) {
  if (!query.foreign_field.empty() && foreign_id(entity, query.foreign_field) != query.foreign_id)
    return false;
  if (query.tags.empty()) return true;
  const auto has = [&](const std::string& tag) { return has_tag(entity, tag); };
  return query.tag_match == PageQuery::TagMatch::kAll
             ? std::all_of(query.tags.begin(), query.tags.end(), has)
             : std::any_of(query.tags.begin(), query.tags.end(), has);
}

std::optional<StoreError> check_size(const PageQuery& query) {
  if (query.size < 1 || query.size > 1000) return invalid_size("size must be an integer between 1 and 1000");
  return std::nullopt;
}

}  // namespace

std::vector<UniqueKey> unique_keys(const Collection& collection, const json::object& entity) {
  std::vector<UniqueKey> keys;
  for (const auto& field : collection.unique)
    if (const auto value = text_of(entity, field); !value.empty()) keys.emplace_back(field, value);
  if (auto composite = composite_value(collection, entity); !composite.empty())
    keys.emplace_back(kComposite, std::move(composite));
  return keys;
}

std::string_view foreign_id(const json::object& entity, std::string_view field) {
  const auto* value = entity.if_contains(field);
  if (value == nullptr || !value->is_object()) return {};
  return text_of(value->get_object(), "id");
}

std::string_view text_of(const json::object& entity, std::string_view field) {
  const auto* value = entity.if_contains(field);
  if (value == nullptr || !value->is_string()) return {};
  return value->get_string();
}

Image::Image(std::shared_ptr<const Collections> collections) : collections_(std::move(collections)) {
  for (const auto& collection : *collections_) tables_[collection.name] = std::make_shared<Table>();
}

const Image::Table* Image::table(std::string_view collection) const {
  const auto found = tables_.find(collection);
  return found == tables_.end() ? nullptr : found->second.get();
}

Image::Table& Image::change(std::string_view collection) {
  auto& held = tables_.find(collection)->second;
  if (held.use_count() > 1) held = std::make_shared<Table>(*held);  // Another image shows it too.
  return const_cast<Table&>(*held);  // NOLINT: made as a Table, and nobody else's
}

const Image::Rows& Image::rows(std::string_view collection) const {
  static const Rows none;
  const auto* found = table(collection);
  return found == nullptr ? none : found->rows;
}

Row Image::find(std::string_view collection, std::string_view id) const {
  const auto& all = rows(collection);
  const auto found = all.find(id);
  return found == all.end() ? nullptr : found->second;
}

Row Image::find_by(std::string_view collection, std::string_view field, std::string_view value) const {
  if (field == "id") return find(collection, value);
  const auto* found = table(collection);
  if (found == nullptr) return nullptr;
  const auto id = found->keys.find(key_of(field, value));
  return id == found->keys.end() ? nullptr : find(collection, id->second);
}

Outcome<Page> Image::page(std::string_view collection, const PageQuery& query) const {
  if (auto error = check_size(query)) return *error;
  const auto& all = rows(collection);
  auto row = all.begin();
  if (!query.offset.empty()) {
    auto after = decode_offset(query.offset);
    if (!after.ok()) return after.error();
    row = all.upper_bound(after.value().id);
  }
  const auto* kind = collections_->find(collection);
  Page page;
  std::string last;
  for (; row != all.end(); ++row) {
    if (!matches(*row->second, query) || is_expired(*row->second)) continue;
    if (static_cast<std::int64_t>(page.data.size()) == query.size) {
      page.offset = encode_offset({last, 0});
      break;
    }
    page.data.push_back(shown(*kind, *row->second));
    last = row->first;
  }
  return page;
}

Outcome<Page> Image::tags(const std::optional<std::string>& tag, const PageQuery& query) const {
  if (auto error = check_size(query)) return *error;
  Offset after{"", 0};
  if (!query.offset.empty()) {
    auto decoded = decode_offset(query.offset);
    if (!decoded.ok()) return decoded.error();
    after = decoded.value();
  }
  std::map<std::string_view, std::pair<std::string_view, const json::array*>> tagged;
  for (const auto& collection : *collections_)
    for (const auto& [id, row] : rows(collection.name))
      if (const auto* list = row->if_contains("tags"); list != nullptr && list->is_array() && !is_expired(*row))
        tagged[id] = {collection.name, &list->get_array()};
  Page page;
  Offset last;
  for (auto entry = tagged.lower_bound(after.id); entry != tagged.end(); ++entry) {
    const auto& [name, list] = entry->second;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(list->size()); ++i) {
      const auto& text = (*list)[static_cast<std::size_t>(i)];
      if (entry->first == after.id && i <= after.index) continue;
      if (tag && text != json::value(*tag)) continue;
      if (static_cast<std::int64_t>(page.data.size()) == query.size) {
        page.offset = encode_offset(last);
        return page;
      }
      page.data.push_back(json::object{{"entity_name", name}, {"entity_id", entry->first}, {"tag", text}});
      last = {std::string(entry->first), i};
    }
  }
  return page;
}

std::optional<json::object> Image::collision(const Collection& collection, const json::object& entity) const {
  const auto* found = table(collection.name);
  const auto own_id = text_of(entity, "id");
  const auto taken = [&](const std::string& key) {
    const auto holder = found->keys.find(key);
    return holder != found->keys.end() && holder->second != own_id;
  };
  for (const auto& field : collection.unique) {
    const auto value = text_of(entity, field);
    if (!value.empty() && taken(key_of(field, value))) return json::object{{field, value}};
  }
  if (const auto composite = composite_value(collection, entity);
      !composite.empty() && taken(key_of(kComposite, composite))) {
    json::object values;
    for (const auto& field : collection.cache_key()) {
      const auto* value = entity.if_contains(field);
      values[field] = value == nullptr ? json::value(nullptr) : *value;
    }
    return values;
  }
  return std::nullopt;
}

std::vector<std::string> Image::children(std::string_view collection, std::string_view field,
                                         std::string_view id) const {
  std::vector<std::string> found;
  for (const auto& [child, row] : rows(collection))
    if (foreign_id(*row, field) == id) found.push_back(child);
  return found;
}

std::vector<std::pair<const Collection*, std::string>> Image::expired(std::int64_t now_s) const {
  std::vector<std::pair<const Collection*, std::string>> found;
  for (const auto& collection : *collections_) {
    if (!collection.has_ttl()) continue;
    for (const auto& [end, id] : table(collection.name)->ends) {
      if (end > now_s) break;
      found.emplace_back(&collection, id);
    }
  }
  return found;
}

void Image::put(const Collection& collection, json::object entity) {
  erase(collection, std::string(text_of(entity, "id")));
  auto& table = change(collection.name);
  std::string id(text_of(entity, "id"));
  if (const auto end = expires_at_s(entity)) table.ends.emplace(*end, id);
  for (const auto& [field, value] : unique_keys(collection, entity)) table.keys[key_of(field, value)] = id;
  table.rows[std::move(id)] = std::make_shared<const json::object>(std::move(entity));
}

void Image::erase(const Collection& collection, std::string_view id) {
  const auto old = find(collection.name, id);
  if (old == nullptr) return;
  auto& table = change(collection.name);
  for (const auto& [field, value] : unique_keys(collection, *old)) table.keys.erase(key_of(field, value));
  if (const auto end = expires_at_s(*old)) table.ends.erase({*end, std::string(id)});
  table.rows.erase(std::string(id));
}

}  // namespace gibbon::agent
