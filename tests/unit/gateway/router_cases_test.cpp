// Kong's decisions, recorded: tests/cases/router.json. A case more is an entry more in that file.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/json.hpp"
#include "route_table.hpp"

namespace gibbon::gateway::test {
namespace {

std::vector<std::string> strings(const json::object& object, std::string_view field) {
  std::vector<std::string> result;
  if (const json::value* value = object.if_contains(field); value != nullptr && value->is_array()) {
    for (const json::value& element : value->get_array()) result.emplace_back(element.as_string().c_str());
  }
  return result;
}

std::string string(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  return value != nullptr && value->is_string() ? std::string(value->get_string().c_str()) : std::string();
}

bool flag(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  return value != nullptr && value->is_bool() && value->get_bool();
}

RouteTable read_table(const json::array& entries) {
  RouteTable table;
  for (const json::value& entry : entries) {
    const json::object& given = entry.at("route").as_object();
    config::Route route;
    route.hosts = strings(given, "hosts");
    route.paths = strings(given, "paths");
    route.methods = strings(given, "methods");
    route.strip_path = flag(given, "strip_path");
    route.preserve_host = flag(given, "preserve_host");
    route.path_handling_v1 = string(given, "path_handling") == "v1";
    if (const json::value* headers = given.if_contains("headers")) {
      for (const auto& [name, values] : headers->as_object()) {
        route.headers.emplace_back(name, strings(headers->as_object(), name));
      }
    }
    const json::value* service = entry.as_object().if_contains("service");
    config::Route& added = table.add(route, service != nullptr ? string(service->as_object(), "path") : "");
    if (service == nullptr) added.service_id.clear();
  }
  table.build();
  return table;
}

Request read_request(const json::object& given) {
  Request request;
  request.method = string(given, "method");
  request.host = string(given, "host");
  request.target = string(given, "uri");
  if (const json::value* headers = given.if_contains("headers")) {
    for (const auto& [name, value] : headers->as_object()) {
      if (value.is_string()) request.headers.emplace_back(name, value.get_string().c_str());
      for (const std::string& each : strings(headers->as_object(), name)) request.headers.emplace_back(name, each);
    }
  }
  return request;
}

void check(const RouteTable& table, const Request& request, const json::value& expect) {
  Match match;
  std::string path;
  const bool found = table.match(request, &match, &path);
  ASSERT_EQ(found, !expect.is_null());
  if (!found) return;
  const json::object& expected = expect.as_object();
  ASSERT_EQ(match.route + 1, expected.at("index").as_int64());
  const config::Route& route = table.routes[match.route];
  EXPECT_EQ(match.service == kNone, expected.at("upstream_uri").is_null());
  if (match.service != kNone) {
    std::string upstream;
    append_upstream_path(route, table.services[match.service].path, path, match.matched_length, upstream);
    EXPECT_EQ(upstream, string(expected, "upstream_uri"));
    EXPECT_EQ(route.preserve_host ? request.host : "", string(expected, "upstream_host"));
  }
  EXPECT_EQ(route.strip_path ? match.prefix(path) : "", string(expected, "prefix"));
}

TEST(RouterCases, DecideAsKongDoes) {
  std::ifstream file(GIBBON_SOURCE_DIR "/tests/cases/router.json");
  std::ostringstream text;
  text << file.rdbuf();
  const json::value cases = json::parse(text.str());
  std::size_t tables = 0, requests = 0;
  for (const json::value& each : cases.at("tables").as_array()) {
    const RouteTable table = read_table(each.at("routes").as_array());
    EXPECT_TRUE(table.problems.empty());
    for (const json::value& request : each.at("requests").as_array()) {
      SCOPED_TRACE("table " + std::to_string(tables) + ": " + json::serialize(request));
      check(table, read_request(request.as_object()), request.at("expect"));
      ++requests;
    }
    ++tables;
  }
  EXPECT_GE(tables, 150U);
  EXPECT_GE(requests, 205U);
}

}  // namespace
}  // namespace gibbon::gateway::test
