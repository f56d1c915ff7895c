#pragma once

#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "gibbon/schema.hpp"

/// What a schema says about itself.
namespace gibbon::schema {

/// Kong's answer at /schemas/...: {"entity_checks":[...],"fields":[{"name":{...}},...]}.
json::object describe(const Schema& schema);
/// Kong's answer at /schemas/plugins/{name}: the same, of what the plugin's entity adds to that of all
/// plugins.
json::object describe_plugin(const Schema& config);
/// Kong's answer at /plugins/schema/{name}: its `config` alone.
json::object describe_plugin_config(const Schema& config);

/// The same for a subschema, which says what it adds.
json::object describe(const Subschema& subschema);

/// The subschema of `key`; null where there is none.
const Subschema* find_subschema(const Schema& schema, std::string_view key);
/// The row called `name`; null where there is none.
const Field* find_field(const Schema& schema, std::string_view name);
/// The rows that are unique, or that refer to other entities, in their order. The pointers live as long as
/// `schema`.
std::vector<const NamedField*> unique_fields(const Schema& schema);
std::vector<const NamedField*> foreign_fields(const Schema& schema);
std::vector<const NamedField*> immutable_fields(const Schema& schema);

}  // namespace gibbon::schema
