#include "agent/admin/openapi/parts.hpp"

#include "base/ascii.hpp"

namespace gibbon::agent::openapi_parts {
namespace {

struct ErrorResponse {
  std::string_view name;
  int status;
  std::string_view schema, description;
};

constexpr ErrorResponse kErrors[] = {
    {"BadRequest", 400, "Error",
     "The input is wrong; `fields` says where. Some errors have a message alone."},
    {"Unauthorized", 401, "Message", "A token is asked for, and the request has none or another."},
    {"NotFound", 404, "Message", "There is no such thing."},
    {"NotAllowed", 405, "Message", "The configuration comes from a file and cannot be changed here."},
    {"Conflict", 409, "Error", "A unique value is taken."},
    {"UnsupportedMediaType", 415, "", "The body is in a form that is not read."},
    {"Unexpected", 500, "Message", "The change could not be stored or applied. Nothing has changed."},
};

const ErrorResponse& error_called(std::string_view name) {
  for (const auto& error : kErrors)
    if (error.name == name) return error;
  return kErrors[0];
}

}  // namespace

json::object reference(std::string_view section, std::string_view name) {
  return {{"$ref", "#/components/" + std::string(section) + "/" + std::string(name)}};
}

json::object json_content(json::value schema) {
  return {{"application/json", json::object{{"schema", std::move(schema)}}}};
}

json::object response(std::string_view description, json::object content) {
  json::object out{{"description", description}};
  if (!content.empty()) out["content"] = std::move(content);
  return out;
}

json::object operation(std::string_view tag, std::string_view id, std::string_view summary, int success,
                       json::object success_response, std::initializer_list<std::string_view> errors) {
  json::object answers{{std::to_string(success), std::move(success_response)}};
  for (const auto name : errors)
    answers[std::to_string(error_called(name).status)] = reference("responses", name);
  answers["401"] = reference("responses", "Unauthorized");
  if (!answers.contains("500")) answers["500"] = reference("responses", "Unexpected");
  return {{"tags", json::array{tag}},
          {"operationId", id},
          {"summary", summary},
          {"responses", std::move(answers)}};
}

std::string operation_id(std::string_view method, std::string_view pattern) {
  std::string id = ascii_lower(method);
  for (const char c : pattern)
    if (c != '{' && c != '}') id += c == '/' ? '-' : c;
  return id;
}

json::object request_body(json::value json) {
  json::object content = json_content(std::move(json));
  for (const char* type : {"application/x-www-form-urlencoded", "multipart/form-data"})
    content[type] = json::object{{"schema", reference("schemas", "Form")}};
  return {{"required", true}, {"content", std::move(content)}};
}

json::object query_parameter(std::string_view name, std::string_view description, json::value schema) {
  return {{"name", name}, {"in", "query"}, {"description", description}, {"schema", std::move(schema)}};
}

json::object responses() {
  json::object out;
  for (const auto& error : kErrors)
    out[error.name] =
        response(error.description, error.schema.empty() ? json::object{{"text/html", json::object()}}
                                                         : json_content(reference("schemas", error.schema)));
  return out;
}

json::object parameters() {
  json::object out;
  out["size"] = query_parameter("size", "How many entities a page has.",
                                {{"type", "integer"}, {"minimum", 1}, {"maximum", 1000}, {"default", 100}});
  out["offset"] = query_parameter("offset", "Where the page begins: the `offset` of the page before.",
                                  {{"type", "string"}});
  out["tags"] = query_parameter("tags", "Entities with all of the tags (`a,b`), or with any of them (`a/b`).",
                                {{"type", "string"}});
  return out;
}

}  // namespace gibbon::agent::openapi_parts
