#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.hpp"
#include "config/entities.hpp"
#include "gateway/router/path.hpp"
#include "gateway/router/router.hpp"

namespace gibbon::gateway::test {

/// A request as a client would send it.
struct Request {
  std::string method = "GET", host, target = "/", scheme = "http", sni;
  std::vector<std::pair<std::string, std::string>> headers;
  std::uint8_t http_major = 1;
  bool grpc = false;

  static void each_header(const void* context, std::string_view name, HeaderSource::Visit visit, void* argument) {
    for (const auto& [each, value] : static_cast<const Request*>(context)->headers) {
      if (equals_lower(each, name) && !visit(argument, value)) return;
    }
  }
};

/// Routes and services under test, with a router over them.
class RouteTable {
 public:
  /// Adds a route whose id is its number, and gives it a service of its own.
  config::Route& add(config::Route route, std::string service_path = "") {
    config::Service service;
    service.id = "service-" + std::to_string(routes.size());
    service.path = std::move(service_path);
    route.service_id = service.id;
    route.id = std::to_string(routes.size());
    services.push_back(std::move(service));
    return routes.emplace_back(std::move(route));
  }

  void build() { router.emplace(Router::build(routes, services, &problems)); }

  /// Matches as a worker does; `path` is set to the normalised path.
  bool match(const Request& request, Match* match, std::string* path = nullptr) const {
    MatchInput input;
    std::string host = ascii_lower(request.host), buffer;
    const std::size_t colon = host.rfind(':');
    if (colon != std::string::npos) {
      input.port = static_cast<std::uint16_t>(std::stoi(host.substr(colon + 1)));
      host.resize(colon);
    }
    input.host = host;
    input.method = request.method;
    input.scheme = request.scheme;
    input.sni = request.sni;
    input.path = normalize_path(path_of(request.target), buffer);
    input.headers = {&Request::each_header, &request};
    input.http_major = request.http_major;
    input.grpc = request.grpc;
    if (path != nullptr) *path = input.path;
    return router->match(input, match);
  }

  /// The number of the route that serves the request; -1 where none does.
  int find(const Request& request) const {
    Match match_;
    return match(request, &match_) ? static_cast<int>(match_.route) : -1;
  }

  std::vector<config::Route> routes;
  std::vector<config::Service> services;
  std::vector<Error> problems;
  std::optional<Router> router;
};

}  // namespace gibbon::gateway::test
