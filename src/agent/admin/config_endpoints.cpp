// GET and POST /config: the whole configuration of a gateway without a database.
#include "agent/admin/api.hpp"
#include "agent/admin/reply.hpp"
#include "agent/store/yaml.hpp"

namespace gibbon::agent {
namespace {

http::Response only_without_database() {
  return message_reply(400, "this endpoint is only available when Kong is configured to not use a database");
}

bool is_on(const std::optional<std::string>& argument) { return argument && *argument == "1"; }

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

http::Response syntax_error(const std::string& message) {
  return error_reply(
      invalid_declarative({{"error", "failed parsing declarative configuration: " + message}}));
}

http::Response import(Host& host, const Call& call) {
  // A form or a JSON object may carry the document as text in `config`; otherwise the body is the document.
  const auto carried = call.body.field("config");
  const auto& text = carried ? *carried : call.body.text;
  if (text.empty()) return syntax_error("expected an object");
  const auto* object = std::get_if<json::object>(&call.body.content);
  const bool is_text = carried.has_value() || object == nullptr || object->empty();
  json::value document = is_text ? json::value(nullptr) : json::value(*object);
  if (is_text) {
    auto parsed = parse_yaml(text);
    if (!parsed.ok()) return syntax_error(parsed.error().message);
    document = std::move(*parsed);
    // Kong compares texts alone: a document that came as JSON is always taken.
    if (is_on(call.argument("check_hash")) && configuration_hash(text) == host.current_hash()) {
      http::Response unchanged;
      unchanged.status = 304;
      return unchanged;
    }
  }
  const auto shape = is_on(call.argument("flatten_errors")) ? ErrorShape::kFlattened : ErrorShape::kNested;
  const auto loaded = host.replace_configuration(document, text, shape);
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
