#include <functional>
#include <set>

#include "base/json_text.hpp"
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

json::object document() {
  const auto host = TestHost::with_database();
  return Client(*host).get("/openapi.json").body.as_object();
}

void each_operation(const json::object& document,
                    const std::function<void(const std::string& name, const json::object& operation)>& look) {
  for (const auto& [path, item] : document.at("paths").as_object())
    for (const auto& [method, operation] : item.as_object())
      if (method != "parameters") look(std::string(method) + " " + std::string(path), operation.as_object());
}

TEST(OpenApi, HasARowForEachEndpoint) {
  std::set<std::string> ids;
  int count = 0;
  each_operation(document(), [&](const std::string& name, const json::object& operation) {
    const std::string summary(operation.at("summary").as_string());
    EXPECT_EQ(summary.find('/'), std::string::npos)
        << name << " has no row in src/agent/admin/openapi/node.cpp";
    EXPECT_TRUE(ids.insert(std::string(operation.at("operationId").as_string())).second) << name;
    EXPECT_FALSE(operation.at("responses").as_object().empty()) << name;
    ++count;
  });
  EXPECT_GE(count, 150);
}

void each_reference(const json::value& value, const std::function<void(std::string_view)>& look) {
  if (value.is_array()) {
    for (const auto& element : value.get_array()) each_reference(element, look);
  } else if (value.is_object()) {
    for (const auto& [name, member] : value.get_object()) {
      if (name == "$ref") look(member.as_string());
      each_reference(member, look);
    }
  }
}

TEST(OpenApi, RefersToWhatThereIsAndHasNothingElse) {
  const auto whole = document();
  std::set<std::string> used;
  each_reference(whole, [&](std::string_view reference) {
    ASSERT_TRUE(reference.starts_with("#/components/"));
    used.emplace(reference.substr(13));
  });
  std::set<std::string> there;
  for (const auto& [section, components] : whole.at("components").as_object())
    if (section != "securitySchemes")
      for (const auto& [name, component] : components.as_object())
        there.insert(std::string(section) + "/" + std::string(name));
  EXPECT_EQ(used, there);
}

TEST(OpenApi, ShowsEntitiesAsTheyAreShown) {
  const auto host = TestHost::with_database();
  const Client client(*host);
  const auto schemas = client.get("/openapi.json").body.at("components").at("schemas").as_object();
  const auto service = client.json("POST", "/services", {{"name", "s"}, {"url", "http://h"}});
  const auto route = client.json("POST", "/services/s/routes", {{"paths", {"/x"}}});
  const auto plugin =
      client.json("POST", "/plugins", {{"name", "http-log"}, {"config", {{"http_endpoint", "http://h"}}}});
  const auto upstream = client.json("POST", "/upstreams", {{"name", "u"}});
  for (const auto& [name, shown] : std::vector<std::pair<std::string, json::value>>{
           {"service", service.body},
           {"route", route.body},
           {"plugin", plugin.body},
           {"upstream", upstream.body},
           {"plugin_config_http-log", plugin.body.at("config")}}) {
    std::set<std::string> fields, described, required;
    for (const auto& [field, value] : shown.as_object()) fields.insert(field);
    for (const auto& [field, value] : schemas.at(name).at("properties").as_object()) described.insert(field);
    for (const auto& field : schemas.at(name).at("required").as_array()) required.emplace(field.as_string());
    EXPECT_EQ(fields, required) << name;
    EXPECT_TRUE(std::includes(described.begin(), described.end(), fields.begin(), fields.end())) << name;
  }
}

TEST(OpenApi, SaysWhatAnOperationTakes) {
  const auto whole = document();
  const auto& paths = whole.at("paths").as_object();
  const auto input = [&](const char* path, const char* method) {
    return paths.at(path).at(method).at("requestBody").at("content").at("application/json").at("schema");
  };
  EXPECT_EQ(input("/services", "post"), json::parse(R"({"$ref": "#/components/schemas/service_input"})"));
  EXPECT_EQ(
      input("/snis", "post"),
      json::parse(
          R"({"allOf": [{"$ref": "#/components/schemas/sni_input"}], "required": ["name", "certificate"]})"));
  EXPECT_EQ(input("/certificates/{certificates}/snis", "post").at("required"), json::parse(R"(["name"])"))
      << "the path names the certificate";
  EXPECT_EQ(paths.at("/services/{services}").at("parameters"),
            json::parse(R"([{"name": "services", "in": "path", "required": true,
                "description": "The id of one of the services, or its `name`.", "schema": {"type": "string"}}])"));
  for (const char* type : {"application/x-www-form-urlencoded", "multipart/form-data"})
    EXPECT_TRUE(paths.at("/routes").at("post").at("requestBody").at("content").as_object().contains(type));
}

}  // namespace
}  // namespace gibbon::agent::test
