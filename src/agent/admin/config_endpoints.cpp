// GET and POST /config: the whole configuration of a gateway without a database.
#include "agent/admin/api.hpp"
#include "agent/admin/reply.hpp"
#include "agent/store/yaml.hpp"
#include "base/json_text.hpp"

namespace gibbon::agent {
namespace {

http::Response only_without_database() {
  return message_reply(400, "this endpoint is only available when Kong is configured to not use a database");
}

/// An option of the query or of the body, as text.
std::optional<std::string> option(const Call& call, std::string_view name) {
  if (auto given = call.argument(name)) return given;
  if (auto given = call.body.field(name)) return given;
  const auto* object = std::get_if<json::object>(&call.body.content);
  const auto* value = object == nullptr ? nullptr : object->if_contains(name);
  if (value == nullptr || value->is_structured() || value->is_null()) return std::nullopt;
  return to_text(*value);
}

/// Kong's words for yes.
bool is_on(std::optional<std::string> value) {
  if (!value) return false;
  for (char& c : *value)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return *value == "true" || *value == "1" || *value == "on" || *value == "yes";
}

/// The entities by collection and id, as Kong answers an import.
json::object imported(const Image& image) {
  json::object body;
  for (const auto& collection : image.collections()) {
    json::object entities;
    for (const auto& [id, row] : image.rows(collection.name)) entities[id] = *row;
    if (!entities.empty()) body[collection.name] = std::move(entities);
  }
  return body;
}

http::Response import(Host& host, Call& call) {
  const bool flatten = is_on(option(call, "flatten_errors"));
  const bool check_hash = option(call, "check_hash") == "1";
  // A JSON body is the document itself where it says its version. Else a field `config` is, or the body is a
  // text.
  auto* object = std::get_if<json::object>(&call.body.content);
  const bool is_document = object != nullptr && object->contains("_format_version");
  json::object document;
  std::string text = call.request.body;
  if (is_document) {
    document = std::move(*object);
    document.erase("flatten_errors");
    document.erase("check_hash");
  } else {
    if (auto carried = option(call, "config")) text = std::move(*carried);
    if (text.empty()) return message_reply(400, "expected a declarative configuration");
    auto parsed = parse_declarative(text);
    if (!parsed.ok()) return error_reply(invalid_declarative({{"error", parsed.error().message}}));
    document = std::move(*parsed);
    // Kong compares texts alone: a document that came as JSON is always taken.
    if (check_hash && configuration_hash(text) == host.current_hash()) {
      http::Response unchanged;
      unchanged.status = 304;
      return unchanged;
    }
  }
  const auto shape = flatten ? ErrorShape::kFlattened : ErrorShape::kNested;
  const auto loaded = host.replace_configuration(std::move(document), text, shape);
  if (!loaded.ok()) {
    const auto status = loaded.error->error.http_status();
    return status == 500 ? error_reply(loaded.error->error) : json_reply(status, loaded.error->to_json());
  }
  return json_reply(201, imported(loaded.image));
}

}  // namespace

void add_config_endpoints(Endpoints& endpoints, Host& host) {
  endpoints.add("GET", "/config", [&host](Call&) {
    if (host.store().writable()) return only_without_database();
    json::object body;
    body["config"] = to_yaml(export_declarative(*host.store().read()));
    return json_reply(200, body);
  });
  endpoints.add_yaml("POST", "/config", [&host](Call& call) {
    return host.store().writable() ? only_without_database() : import(host, call);
  });
}

}  // namespace gibbon::agent
