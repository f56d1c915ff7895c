#include "agent/admin/entity_service.hpp"

#include "agent/admin/certificate_rules.hpp"
#include "agent/store/ttl.hpp"
#include "base/uuid.hpp"

namespace gibbon::agent {
namespace {

const std::optional<Row> kNothing;

std::string to_lower(std::string_view id) {
  std::string lower(id);
  for (char& c : lower)
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

/// An id is the same in either case of its letters.
void write_id_in_lower_case(json::object& object) {
  if (auto* id = object.if_contains("id"); id != nullptr && id->is_string() && is_uuid(id->get_string()))
    *id = to_lower(id->get_string());
}

json::object reference(const Row& parent) {
  json::object value;
  value["id"] = text_of(*parent, "id");
  return value;
}

/// A form or a JSON object in the words of `collection`; a plugin's name decides what its values may be.
json::object read_input(const Body& body, const Catalog& catalog, const Collection& collection,
                        const json::object* stored) {
  json::object named;
  if (const auto name = body.field("name")) {
    named["name"] = *name;
  } else if (stored != nullptr) {
    named["name"] = text_of(*stored, "name");
  }
  auto input = body.input(catalog.schema_for(collection, named));
  write_id_in_lower_case(input);
  for (const auto& foreign : collection.foreign)
    if (auto* value = input.if_contains(foreign.field); value != nullptr && value->is_object())
      write_id_in_lower_case(value->get_object());
  return input;
}

/// The entity that a path names, under a parent where it stands under one; null where either is missing.
Row find_in_path(const Image& image, const Collection& collection, const EntityKey& key,
                 const std::optional<Parent>& parent) {
  if (!parent) return find_entity(image, collection, key);
  const auto row = find_entity(image, *parent->collection, parent->key);
  return row == nullptr ? nullptr : find_child(image, collection, parent->field, text_of(*row, "id"), key);
}

}  // namespace

EntityKey entity_key(const Collection& collection, const std::string& text) {
  if (collection.key_within_parent && !is_uuid(text)) return {"id", text};
  return child_key(collection, text);
}

EntityKey child_key(const Collection& collection, const std::string& text) {
  if (is_uuid(text)) return {"id", to_lower(text)};
  return {collection.endpoint_key.empty() ? "id" : collection.endpoint_key, text};
}

std::optional<StoreError> key_problem(const Collection& collection, const EntityKey& key) {
  if (key.by_id())
    return is_uuid(key.value) ? std::nullopt : std::optional(invalid_primary_key("expected a valid UUID"));
  if (collection.key_within_parent) return std::nullopt;
  json::object entity;
  entity[key.field] = key.value;
  const auto violations = schema::validate(collection.entity.schema, entity, schema::Operation::kUpdate);
  const auto* why = violations.fields.if_contains(key.field);
  if (why == nullptr || !why->is_string()) return std::nullopt;
  return invalid_unique(key.field, why->get_string());
}

Row find_entity(const Image& image, const Collection& collection, const EntityKey& key) {
  auto row = image.find_by(collection.name, key.field, key.value);
  return row != nullptr && is_expired(*row) ? nullptr : row;
}

Row find_child(const Image& image, const Collection& collection, std::string_view field, std::string_view parent_id,
               const EntityKey& key) {
  if (key.by_id() || !collection.key_within_parent) {
    const auto row = find_entity(image, collection, key);
    return row != nullptr && foreign_id(*row, field) == parent_id ? row : nullptr;
  }
  for (const auto& id : image.children(collection.name, field, parent_id)) {
    auto row = image.find(collection.name, id);
    if (text_of(*row, key.field) == key.value) return row;
  }
  return nullptr;
}

std::optional<StoreError> EntityService::resolve(const Image& image, const Collection& collection,
                                                 json::object& input) {
  for (const auto& foreign : collection.foreign) {
    auto* value = input.if_contains(foreign.field);
    const auto* target = image.collections().find(foreign.collection);
    if (value == nullptr || !value->is_object() || target == nullptr || value->get_object().contains("id"))
      continue;
    const auto name = std::string(text_of(value->get_object(), target->endpoint_key));
    if (name.empty()) continue;
    const auto row = image.find_by(target->name, target->endpoint_key, name);
    if (row == nullptr) return unresolved_reference(foreign.field, target->endpoint_key, name, target->name);
    *value = reference(row);
  }
  return std::nullopt;
}

EntityService::Changed EntityService::write(const std::function<Changed(Transaction&)>& work) {
  std::optional<Row> found;
  bool changed = false;
  auto done = host_.store().write([&](Transaction& transaction) -> Outcome<Row> {
    auto result = work(transaction);
    if (!result.ok()) return result.error();
    found = result.value();
    changed = !transaction.changes().empty();
    return Row();
  });
  if (!done.ok()) return done.error();
  if (changed) host_.wait_applied();
  return found;
}

EntityService::Changed EntityService::create(const Collection& collection, const Body& body,
                                             const std::optional<Parent>& parent) {
  const auto catalog = host_.catalog();
  return write([&](Transaction& transaction) -> Changed {
    auto input = read_input(body, *catalog, collection, nullptr);
    if (parent) {
      const auto row = find_entity(transaction.image(), *parent->collection, parent->key);
      if (row == nullptr) return kNothing;
      input[parent->field] = reference(row);
    }
    if (auto error = resolve(transaction.image(), collection, input)) return *error;
    if (auto error = check_ttl(collection, input)) return *error;
    const ServerNames names(collection, input);
    if (auto error = names.check(transaction.image(), "")) return *error;
    auto checked = catalog->check_insert(collection, std::move(input));
    if (!checked.ok()) return schema_violation(checked.violations);
    if (!host_.store().writable()) return unsupported("create", collection.name);
    auto row = names.keep(transaction, *catalog, transaction.insert(collection, std::move(checked.entity)));
    if (!row.ok()) return row.error();
    return std::optional(row.value());
  });
}

EntityService::Changed EntityService::update(const Collection& collection, const EntityKey& key,
                                             const Body& body, const std::optional<Parent>& parent) {
  const auto catalog = host_.catalog();
  return write([&](Transaction& transaction) -> Changed {
    const auto& image = transaction.image();
    const auto stored = find_in_path(image, collection, key, parent);
    if (stored == nullptr) {
      if (parent) return kNothing;
      // Kong reads a plugin first where it must know its name.
      if (collection.name == "plugins" && !body.field("name")) return kNothing;
      return not_found(key.field, key.value);
    }
    auto patch = read_input(body, *catalog, collection, stored.get());
    if (parent) patch[parent->field] = stored->at(parent->field);
    if (auto error = resolve(image, collection, patch)) return *error;
    if (auto error = check_ttl(collection, patch)) return *error;
    const ServerNames names(collection, patch);
    if (auto error = names.check(image, text_of(*stored, "id"))) return *error;
    auto checked = catalog->check_update(collection, *stored, std::move(patch));
    if (!checked.ok()) return schema_violation(checked.violations);
    if (!host_.store().writable())
      return unsupported("update", collection.name, key.by_id() ? "" : std::string_view(key.field));
    auto row = names.keep(transaction, *catalog, transaction.put(collection, std::move(checked.entity)));
    if (!row.ok()) return row.error();
    return std::optional(row.value());
  });
}

EntityService::Changed EntityService::put(Transaction& transaction, const Collection& collection,
                                          const EntityKey& key, const Row& stored, json::object input,
                                          const Catalog& catalog) {
  if (auto error = resolve(transaction.image(), collection, input)) return *error;
  if (auto error = check_ttl(collection, input)) return *error;
  const bool renames = collection.key_within_parent && !key.by_id() && input.contains(key.field);
  if (!renames) input[key.field] = key.value;
  if (stored != nullptr) input["id"] = text_of(*stored, "id");
  const ServerNames names(collection, input);
  if (auto error = names.check(transaction.image(), text_of(input, "id"))) return *error;
  auto checked = catalog.check_upsert(collection, std::move(input), stored.get());
  if (!checked.ok()) return schema_violation(checked.violations);
  if (!host_.store().writable())
    return unsupported("create or update", collection.name, key.by_id() ? "" : std::string_view(key.field));
  auto row = names.keep(transaction, catalog,
                        stored != nullptr ? transaction.put(collection, std::move(checked.entity))
                                          : transaction.insert(collection, std::move(checked.entity)));
  if (!row.ok()) return row.error();
  return std::optional(row.value());
}

EntityService::Changed EntityService::replace(const Collection& collection, const EntityKey& key,
                                              const Body& body, const std::optional<Parent>& parent) {
  const auto catalog = host_.catalog();
  return write([&](Transaction& transaction) -> Changed {
    auto input = read_input(body, *catalog, collection, nullptr);
    if (parent) {
      const auto row = find_entity(transaction.image(), *parent->collection, parent->key);
      if (row == nullptr) return kNothing;
      input[parent->field] = reference(row);
    }
    // By a key of the parent's the child is found below it; by any other, wherever it is.
    const bool below = parent && collection.key_within_parent && !key.by_id();
    const auto stored = find_in_path(transaction.image(), collection, key, below ? parent : std::nullopt);
    return put(transaction, collection, key, stored, std::move(input), *catalog);
  });
}

EntityService::Changed EntityService::replace_referenced(const Collection& child, const EntityKey& key,
                                                         const ForeignKey& foreign, const Body& body) {
  const auto catalog = host_.catalog();
  const auto* target = catalog->collections().find(foreign.collection);
  return write([&](Transaction& transaction) -> Changed {
    const auto row = find_entity(transaction.image(), child, key);
    if (row == nullptr) return kNothing;
    const std::string existing(foreign_id(*row, foreign.field));
    const EntityKey id{"id", existing.empty() ? uuid_v4() : existing};
    auto made = put(transaction, *target, id, find_entity(transaction.image(), *target, id),
                    read_input(body, *catalog, *target, nullptr), *catalog);
    if (!made.ok() || !existing.empty()) return made;
    json::object patch;
    patch[foreign.field] = reference(*made.value());
    auto checked = catalog->check_update(child, *row, std::move(patch));
    if (!checked.ok()) return schema_violation(checked.violations);
    auto linked = transaction.put(child, std::move(checked.entity));
    if (!linked.ok()) return linked.error();
    return made;
  });
}

EntityService::Changed EntityService::remove(const Collection& collection, const EntityKey& key,
                                             const std::optional<Parent>& parent) {
  return write([&](Transaction& transaction) -> Changed {
    const auto stored = find_in_path(transaction.image(), collection, key, parent);
    if (stored == nullptr) return parent ? kNothing : std::optional(Row());
    if (!host_.store().writable())
      return unsupported("remove", collection.name, key.by_id() ? "" : std::string_view(key.field));
    if (auto refused = before_removal(transaction, collection, text_of(*stored, "id"))) return *refused;
    auto removed = transaction.remove(collection, text_of(*stored, "id"));
    if (!removed.ok()) return removed.error();
    return std::optional(Row());
  });
}

}  // namespace gibbon::agent
