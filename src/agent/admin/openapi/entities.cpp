// The operations on collections: the same for each of them, as add_entity_endpoints() serves them.
#include "agent/admin/openapi/parts.hpp"
#include "schema/json_schema.hpp"

namespace gibbon::agent::openapi_parts {
namespace {

std::string words(std::string text) {
  for (char& c : text)
    if (c == '_' || c == '-') c = ' ';
  return text;
}

/// One place where entities of a collection are served.
struct Place {
  const Collection& collection;
  std::string suffix;   ///< Of operation ids: "" or "-of-service".
  std::string of_whom;  ///< Of summaries: "" or " of a service".

  [[nodiscard]] std::string id(std::string_view verb, const std::string& what) const {
    return std::string(verb) + "-" + what + suffix;
  }
  [[nodiscard]] std::string one() const { return words(std::string(singular(collection.name))); }
  [[nodiscard]] std::string many() const { return words(collection.name); }

  [[nodiscard]] json::object shown(std::string_view description) const {
    return response(description, json_content(reference("schemas", shown_name(collection))));
  }

  [[nodiscard]] json::object page() const {
    const json::object properties{
        {"data", json::object{{"type", "array"}, {"items", reference("schemas", shown_name(collection))}}},
        {"next", json::object{{"type", json::array{"string", "null"}},
                              {"description", "The path of the next page."}}},
        {"offset", json::object{{"type", "string"}}}};
    return response("A page.", json_content(json::object{{"type", "object"},
                                                         {"properties", properties},
                                                         {"required", json::array{"data", "next"}}}));
  }

  [[nodiscard]] json::object list() const {
    json::object out = operation(collection.name, id("list", collection.name), "List " + many() + of_whom,
                                 200, page(), {"BadRequest", "NotFound"});
    json::array parameters;
    for (const char* name : {"size", "offset", "tags"}) parameters.push_back(reference("parameters", name));
    if (collection.name == "consumers" && suffix.empty())
      parameters.push_back(query_parameter("custom_id", "The consumer that another system knows by this id.",
                                           {{"type", "string"}}));
    out["parameters"] = std::move(parameters);
    return out;
  }

  /// The input of a new entity: `owner` comes from the path.
  [[nodiscard]] json::value whole(std::string_view owner) const {
    json::array required;
    for (auto& name : schema::required_input(collection.entity.schema))
      if (name.as_string() != owner) required.push_back(std::move(name));
    json::object input = reference("schemas", given_name(collection));
    if (required.empty()) return input;
    return json::object{{"allOf", json::array{std::move(input)}}, {"required", std::move(required)}};
  }

  [[nodiscard]] json::object change(std::string_view verb, const std::string& summary, int status,
                                    json::value input) const {
    json::object out =
        operation(collection.name, id(verb, std::string(singular(collection.name))), summary + of_whom,
                  status, shown("The entity as it is stored."),
                  {"BadRequest", "NotFound", "NotAllowed", "Conflict", "UnsupportedMediaType"});
    out["requestBody"] = request_body(std::move(input));
    return out;
  }

  [[nodiscard]] json::object create(std::string_view owner) const {
    return change("create", "Create a " + one(), 201, whole(owner));
  }
  [[nodiscard]] json::object replace(std::string_view owner) const {
    return change("upsert", "Create or replace a " + one(), 200, whole(owner));
  }
  [[nodiscard]] json::object update() const {
    return change("update", "Change a " + one(), 200, reference("schemas", given_name(collection)));
  }
  [[nodiscard]] json::object get() const {
    return operation(collection.name, id("get", std::string(singular(collection.name))),
                     "Show a " + one() + of_whom, 200, shown("The entity."), {"NotFound"});
  }
  [[nodiscard]] json::object remove() const {
    return operation(collection.name, id("delete", std::string(singular(collection.name))),
                     "Delete a " + one() + of_whom, 204, response("It is gone, or never was.", {}),
                     {"BadRequest", "NotFound", "NotAllowed"});
  }

  void serve(const std::string& list_path, std::string_view owner, Operations& all) const {
    const std::string one_path = list_path + "/{" + collection.name + "}";
    all["get " + list_path] = list();
    all["post " + list_path] = create(owner);
    all["get " + one_path] = get();
    all["put " + one_path] = replace(owner);
    all["patch " + one_path] = update();
    all["delete " + one_path] = remove();
  }
};

/// /routes/{routes}/service: the service of a route.
void serve_referenced(const Collection& child, const ForeignKey& foreign, const Collection& parent,
                      Operations& all) {
  const std::string name(singular(child.name));
  const Place place{parent, "-as-" + foreign.field + "-of-" + name, " that a " + words(name) + " refers to"};
  const std::string path = "/" + child.path + "/{" + child.name + "}/" + foreign.field;
  all["get " + path] = place.get();
  all["put " + path] = place.replace("");
  all["patch " + path] = place.update();
  json::object refused =
      operation(parent.name, "delete-" + foreign.field + "-of-" + name,
                "Always refused: what a " + words(name) + " refers to is deleted by its own path", 405,
                reference("responses", "NotAllowed"), {"NotFound"});
  all["delete " + path] = std::move(refused);
}

}  // namespace

Operations entity_operations(const Collections& collections) {
  Operations all;
  for (const auto& collection : collections) {
    Place{collection, "", ""}.serve("/" + collection.path, "", all);
    for (const auto& foreign : collection.foreign) {
      const auto* parent = collections.find(foreign.collection);
      if (parent == nullptr) continue;
      const std::string owner(singular(parent->name));
      Place{collection, "-of-" + owner, " of a " + words(owner)}.serve(
          "/" + parent->path + "/{" + parent->name + "}/" + collection.nested_path, foreign.field, all);
      serve_referenced(collection, foreign, *parent, all);
    }
  }
  return all;
}

}  // namespace gibbon::agent::openapi_parts
