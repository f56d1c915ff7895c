#include "agent/admin/api.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "agent/admin/openapi/openapi.hpp"
#include "agent/admin/reply.hpp"
#include "base/ascii.hpp"
#include "base/version.hpp"

namespace gibbon::agent {
namespace {

bool names(const std::vector<std::string>& headers, std::initializer_list<std::string_view> wanted) {
  return std::any_of(headers.begin(), headers.end(), [&](const std::string& header) {
    return std::find(wanted.begin(), wanted.end(), header) != wanted.end();
  });
}

/// The origin whose pages may read the answer: of several the request's own where it is one of them.
std::string allowed_origin(const std::vector<std::string>& allowed, std::string_view origin) {
  if (allowed.empty()) return origin.empty() ? "*" : std::string(origin);
  const bool known = std::find(allowed.begin(), allowed.end(), origin) != allowed.end();
  return known ? std::string(origin) : allowed.front();
}

/// Whether a list of headers, as CORS has them, holds `name`.
bool names_header(std::string_view list, std::string_view name) {
  return ascii_lower(list).find(ascii_lower(name)) != std::string::npos;
}

}  // namespace

Api::Api(Host& host, Kind kind)
    : host_(host), kind_(kind), collections_(host.catalog()->shared_collections()) {
  add_status_endpoints(endpoints_, host);
  add_dns_endpoint(endpoints_);
  if (kind == Kind::kStatus) {
    add_ready_endpoint(endpoints_, host);
    return;
  }
  add_entity_endpoints(endpoints_, host, *collections_);
  add_consumer_endpoints(endpoints_, host);
  add_upstream_endpoints(endpoints_, host);
  add_certificate_endpoints(endpoints_, host);
  add_schema_endpoints(endpoints_, host);
  add_tag_endpoints(endpoints_, host);
  add_config_endpoints(endpoints_, host);
  add_information_endpoints(endpoints_, host);
  add_node_endpoints(endpoints_, host);
  endpoints_.add("GET", "/openapi.json", [this](Call&) {
    return json_reply(200, openapi(endpoints_.served(), *host_.catalog()));
  });
  endpoints_.add("GET", "/endpoints", [this](Call&) {
    json::array list;
    for (const auto& pattern : endpoints_.patterns()) list.emplace_back(pattern);
    return json_reply(200, json::object{{"data", std::move(list)}});
  });
}

bool Api::is_write(const http::Request& request) {
  return request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS";
}

std::optional<http::Response> Api::refusal(const http::Request& request) const {
  const auto guard = kind_ == Kind::kAdmin ? host_.guard() : nullptr;
  if (guard == nullptr || guard->admits(request)) return std::nullopt;
  auto response = message_reply(401, "Unauthorized");
  response.headers.push_back({"WWW-Authenticate", std::string(Guard::kHeader)});
  add_headers(request, response, 0);
  return response;
}

http::Response Api::handle(const http::Request& request) const {
  if (auto refused = refusal(request)) return std::move(*refused);
  const auto start = std::chrono::steady_clock::now();
  http::Response response;
  try {
    response = endpoints_.answer(request);
  } catch (const std::exception& error) {
    spdlog::error("{} {}: {}", request.method, request.path, error.what());
    response = message_reply(500, "An unexpected error occurred");
  }
  add_headers(request, response,
              std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  return response;
}

void Api::add_headers(const http::Request& request, http::Response& response, double elapsed_ms) const {
  const auto settings = host_.settings();
  if (kind_ == Kind::kAdmin) {
    response.headers.push_back({"Access-Control-Allow-Origin",
                                allowed_origin(settings->admin_gui_origins, request.header("origin"))});
    response.headers.push_back({"Access-Control-Allow-Credentials", "true"});
    if (const auto guard = host_.guard(); guard != nullptr && guard->wants_token())
      for (auto& header : response.headers)
        if (header.name == "Access-Control-Allow-Headers" && !names_header(header.value, Guard::kHeader))
          header.value += ", " + std::string(Guard::kHeader);
  }
  if (names(settings->headers, {"latency_tokens", "x-kong-admin-latency"}))
    response.headers.push_back({"X-Kong-Admin-Latency", std::to_string(static_cast<long>(elapsed_ms))});
  if (names(settings->headers, {"server_tokens", "server"}))
    response.headers.push_back({"Server", kServerTokens});
}

}  // namespace gibbon::agent
