// The operations that belong to no collection, one row each. A new endpoint gets its row here.
#include "agent/admin/openapi/parts.hpp"

namespace gibbon::agent::openapi_parts {
namespace {

/// What an operation answers.
enum class Answer { kObject, kMessage, kText, kNothing, kDescribed, kNames, kTags, kYaml };
/// What it takes.
enum class Takes { kNothing, kEntity, kConfiguration, kLevel, kUnits, kPage };
/// How it fails, beside a 500.
enum class Fails { kNever, kNotFound, kBadRequest, kChange };

struct NodeRow {
  std::string_view method, pattern, tag, id, summary;
  Answer answer = Answer::kObject;
  Takes takes = Takes::kNothing;
  Fails fails = Fails::kNever;
  int status = 200;
};

constexpr NodeRow kRows[] = {
    {"GET", "/", kNodeTag, "show-node", "Show what the node is, its plugins and its settings"},
    {"GET", "/status", kNodeTag, "show-status",
     "Show connections, memory, and what became of the recorded exchanges", Answer::kObject, Takes::kUnits,
     Fails::kBadRequest},
    {"GET", "/status/dns", kNodeTag, "show-dns", "Answers that there are no figures of the resolver",
     Answer::kMessage, Takes::kNothing, Fails::kNever, 501},
    {"GET", "/metrics", kNodeTag, "show-metrics", "Show the metrics in Prometheus' text format",
     Answer::kText},
    {"GET", "/endpoints", kNodeTag, "list-endpoints", "List the paths that are served", Answer::kNames},
    {"GET", "/openapi.json", kNodeTag, "show-openapi", "Show this document"},
    {"GET", "/timers", kNodeTag, "show-timers", "Show timers as Kong does; there are none"},
    {"DELETE", "/cache", kNodeTag, "purge-cache", "Does nothing: there is no cache", Answer::kNothing,
     Takes::kNothing, Fails::kNever, 204},
    {"GET", "/cache/{key}", kNodeTag, "show-cached", "Answers that nothing is cached", Answer::kMessage,
     Takes::kNothing, Fails::kNever, 404},
    {"DELETE", "/cache/{key}", kNodeTag, "purge-cached", "Does nothing: there is no cache", Answer::kNothing,
     Takes::kNothing, Fails::kNever, 204},
    {"GET", "/clustering/data-planes", kNodeTag, "list-data-planes",
     "Answers that the node is no control plane", Answer::kMessage, Takes::kNothing, Fails::kNever, 400},
    {"GET", "/clustering/status", kNodeTag, "show-clustering", "Answers that the node is no control plane",
     Answer::kMessage, Takes::kNothing, Fails::kNever, 400},
    {"GET", "/debug/node/log-level", kNodeTag, "show-log-level", "Show the log level", Answer::kMessage},
    {"PUT", "/debug/node/log-level/{log_level}", kNodeTag, "set-log-level",
     "Change the log level for a while", Answer::kMessage, Takes::kLevel, Fails::kChange},
    {"PUT", "/debug/cluster/log-level/{log_level}", kNodeTag, "set-cluster-log-level",
     "Change the log level for a while", Answer::kMessage, Takes::kLevel, Fails::kChange},
    {"GET", "/config", kConfigurationTag, "show-configuration",
     "Show the configuration as a declarative document", Answer::kYaml, Takes::kNothing, Fails::kBadRequest},
    {"POST", "/config", kConfigurationTag, "replace-configuration",
     "Replace the whole configuration by a document", Answer::kObject, Takes::kConfiguration,
     Fails::kBadRequest, 201},
    {"GET", "/tags", "tags", "list-tags", "List the tags of all entities", Answer::kTags, Takes::kPage,
     Fails::kBadRequest},
    {"GET", "/tags/{tags}", "tags", "list-tagged", "List the entities that have a tag", Answer::kTags,
     Takes::kPage, Fails::kBadRequest},
    {"GET", "/upstreams/{upstreams}/health", "upstreams", "show-upstream-health",
     "Show the health of an upstream's targets", Answer::kObject, Takes::kPage, Fails::kNotFound},
    {"GET", "/upstreams/{upstreams}/targets/all", "upstreams", "list-all-targets",
     "List an upstream's targets", Answer::kObject, Takes::kPage, Fails::kNotFound},
    {"PUT", "/upstreams/{upstreams}/targets/{targets}/healthy", "upstreams", "set-target-healthy",
     "Take a target for healthy", Answer::kNothing, Takes::kNothing, Fails::kNotFound, 204},
    {"PUT", "/upstreams/{upstreams}/targets/{targets}/unhealthy", "upstreams", "set-target-unhealthy",
     "Take a target for unhealthy", Answer::kNothing, Takes::kNothing, Fails::kNotFound, 204},
    {"PUT", "/upstreams/{upstreams}/targets/{targets}/{address}/healthy", "upstreams", "set-address-healthy",
     "Take an address of a target for healthy", Answer::kNothing, Takes::kNothing, Fails::kNotFound, 204},
    {"PUT", "/upstreams/{upstreams}/targets/{targets}/{address}/unhealthy", "upstreams",
     "set-address-unhealthy", "Take an address of a target for unhealthy", Answer::kNothing, Takes::kNothing,
     Fails::kNotFound, 204},
    {"GET", "/schemas/filters/{name}", kSchemasTag, "show-filter-schema",
     "Answers that there is no such filter", Answer::kMessage, Takes::kNothing, Fails::kNever, 404},
    {"GET", "/schemas/{name}", kSchemasTag, "show-entity-schema", "Show the rows of an entity",
     Answer::kDescribed, Takes::kNothing, Fails::kNotFound},
    {"POST", "/schemas/{db_entity_name}/validate", kSchemasTag, "validate-entity",
     "Check an entity, and store nothing", Answer::kMessage, Takes::kEntity, Fails::kChange},
    {"GET", "/schemas/plugins/{name}", kSchemasTag, "show-plugin-schema", "Show the rows of a plugin",
     Answer::kDescribed, Takes::kNothing, Fails::kNotFound},
    {"POST", "/schemas/plugins/validate", kSchemasTag, "validate-plugin", "Check a plugin, and store nothing",
     Answer::kMessage, Takes::kEntity, Fails::kChange},
    {"GET", "/schemas/vaults/{name}", kSchemasTag, "show-vault-schema", "Show the rows of a kind of vault",
     Answer::kDescribed, Takes::kNothing, Fails::kNotFound},
    {"POST", "/schemas/vaults/validate", kSchemasTag, "validate-vault", "Check a vault, and store nothing",
     Answer::kMessage, Takes::kEntity, Fails::kChange},
    {"GET", "/plugins/schema/{name}", kSchemasTag, "show-plugin-config-schema",
     "Show the rows of a plugin's configuration", Answer::kDescribed, Takes::kNothing, Fails::kNotFound},
    {"GET", "/plugins/enabled", kSchemasTag, "list-enabled-plugins",
     "List the plugins that may be configured"},
};

json::object text() { return {{"type", "string"}}; }
json::object object() { return {{"type", "object"}}; }
json::object object_with(std::string_view name, json::value schema) {
  return {{"type", "object"}, {"properties", json::object{{name, std::move(schema)}}}};
}
json::object array_of(json::value items) { return {{"type", "array"}, {"items", std::move(items)}}; }

json::object tagged_page() {
  json::object row = object();
  row["properties"] = json::object{{"entity_name", text()}, {"entity_id", text()}, {"tag", text()}};
  json::object page = object_with("data", array_of(std::move(row)));
  page["properties"].get_object()["next"] = json::object{{"type", json::array{"string", "null"}}};
  return page;
}

json::object content_of(Answer answer) {
  switch (answer) {
    case Answer::kObject:
      return json_content(object());
    case Answer::kMessage:
      return json_content(reference("schemas", "Message"));
    case Answer::kText:
      return {{"text/plain", json::object{{"schema", text()}}}};
    case Answer::kNothing:
      return {};
    case Answer::kDescribed:
      return json_content(reference("schemas", "Described"));
    case Answer::kNames:
      return json_content(object_with("data", array_of(text())));
    case Answer::kTags:
      return json_content(tagged_page());
    case Answer::kYaml:
      return json_content(object_with("config", text()));
  }
  return {};
}

json::object described(const NodeRow& row) {
  json::object answer = response("The answer.", content_of(row.answer));
  switch (row.fails) {
    case Fails::kNever:
      return operation(row.tag, row.id, row.summary, row.status, std::move(answer), {});
    case Fails::kNotFound:
      return operation(row.tag, row.id, row.summary, row.status, std::move(answer), {"NotFound"});
    case Fails::kBadRequest:
      return operation(row.tag, row.id, row.summary, row.status, std::move(answer), {"BadRequest"});
    case Fails::kChange:
      return operation(row.tag, row.id, row.summary, row.status, std::move(answer),
                       {"BadRequest", "NotFound", "NotAllowed", "UnsupportedMediaType"});
  }
  return {};
}

void add_configuration(json::object& operation) {
  json::object body = request_body(object_with("config", text()));
  for (const char* type : {"text/yaml", "application/yaml"})
    body["content"].get_object()[type] = json::object{{"schema", text()}};
  // As JSON, the document itself, or one that carries it as text.
  body["content"].get_object()["application/json"] = json::object{{"schema", object()}};
  operation["requestBody"] = std::move(body);
  const json::object flag{{"type", "integer"}, {"enum", json::array{0, 1}}};
  operation["parameters"] =
      json::array{query_parameter("check_hash", "1: answer 304 where the same text is in effect.", flag),
                  query_parameter("flatten_errors", "1: list the errors by entity.", flag)};
  json::object& answers = operation["responses"].get_object();
  answers["304"] = response("The same text is in effect.", {});
  answers["415"] = reference("responses", "UnsupportedMediaType");
}

}  // namespace

json::object node_operation(std::string_view method, std::string_view pattern) {
  for (const NodeRow& row : kRows) {
    if (row.method != method || row.pattern != pattern) continue;
    json::object out = described(row);
    switch (row.takes) {
      case Takes::kNothing:
        break;
      case Takes::kEntity:
        out["requestBody"] = request_body(object());
        break;
      case Takes::kConfiguration:
        add_configuration(out);
        break;
      case Takes::kLevel:
        out["parameters"] =
            json::array{query_parameter("timeout", "Seconds until the level is the old one again.",
                                        {{"type", "number"}, {"minimum", 0}, {"default", 60}})};
        break;
      case Takes::kUnits:
        out["parameters"] = json::array{
            query_parameter("unit", "In which unit memory is shown.", {{"type", "string"}, {"default", "m"}}),
            query_parameter("scale", "With how many digits.",
                            {{"type", "integer"}, {"minimum", 0}, {"default", 2}})};
        break;
      case Takes::kPage:
        out["parameters"] = json::array{reference("parameters", "size"), reference("parameters", "offset")};
        break;
    }
    return out;
  }
  return {};
}

}  // namespace gibbon::agent::openapi_parts
