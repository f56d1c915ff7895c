#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "agent/store/catalog.hpp"
#include "base/json.hpp"

/// What the document is put together from.
namespace gibbon::agent::openapi_parts {

/// The tags of operations that belong to no collection.
inline constexpr std::string_view kNodeTag = "Node";
inline constexpr std::string_view kSchemasTag = "Schemas";
inline constexpr std::string_view kConfigurationTag = "Configuration";

json::object reference(std::string_view section, std::string_view name);
/// {"application/json": {"schema": ...}}
json::object json_content(json::value schema);
/// {"description": ..., "content": ...}
json::object response(std::string_view description, json::object content);
/// An operation with the responses that every one has and those of `errors` ("NotFound", ...).
json::object operation(std::string_view tag, std::string_view id, std::string_view summary, int success,
                       json::object success_response, std::initializer_list<std::string_view> errors);
/// A name for what has none of its own: "get-filter-chains".
std::string operation_id(std::string_view method, std::string_view pattern);
/// A body in each of the forms that the Admin API reads; `json` is the schema of the JSON form.
json::object request_body(json::value json);
json::object query_parameter(std::string_view name, std::string_view description, json::value schema);

/// Operations on the collections, by path and method ("get").
using Operations = std::map<std::string, json::object, std::less<>>;
Operations entity_operations(const Collections& collections);
/// The operation of a path that belongs to no collection; an empty object where none is written down.
json::object node_operation(std::string_view method, std::string_view pattern);

/// components.schemas: the entities, as they are shown and given, and the plugins' configurations.
json::object schemas(const Catalog& catalog);
/// components.responses, components.parameters.
json::object responses();
json::object parameters();
/// The name of a collection's entity among the schemas: "service", "service_input".
std::string shown_name(const Collection& collection);
std::string given_name(const Collection& collection);

}  // namespace gibbon::agent::openapi_parts
