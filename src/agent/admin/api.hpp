#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/admin/body.hpp"
#include "agent/admin/host.hpp"
#include "http/message.hpp"

namespace gibbon::agent {

/// One request on its way through the API.
struct Call {
  const http::Request& request;
  std::map<std::string, std::string, std::less<>> params;  ///< What stood in the pattern's places, decoded.
  std::vector<std::pair<std::string, std::string>> query;
  Body body;  ///< Of POST, PUT and PATCH.

  /// The first value of a query argument; nothing where it is missing.
  [[nodiscard]] std::optional<std::string> argument(std::string_view name) const;
};

using Endpoint = std::function<http::Response(Call&)>;

/// A path that is served, with its methods in their order.
struct ServedPath {
  std::string pattern;
  std::vector<std::string> methods;
};

/// A table of paths: literal segments and places ("{services}"), a function per method.
/// Answers 404, 405 and OPTIONS by itself, and HEAD through GET. Threads: any once it is filled.
class Endpoints {
 public:
  void add(std::string_view method, std::string_view pattern, Endpoint endpoint);
  /// As add(), for a body that may be YAML.
  void add_yaml(std::string_view method, std::string_view pattern, Endpoint endpoint);
  /// Replaces an endpoint by one that may call what stood there: `endpoint(call, former)`.
  void wrap(std::string_view method, std::string_view pattern,
            std::function<http::Response(Call&, const Endpoint& former)> endpoint);
  /// A path that Kong lists and that serves nothing here: every method gets the same answer.
  void refuse(std::string_view pattern, http::Response answer);
  [[nodiscard]] http::Response answer(const http::Request& request) const;
  /// Every pattern, in the order of their segments.
  [[nodiscard]] std::vector<std::string> patterns() const;
  /// The same with their methods, but for what the table answers by itself: methods, and paths that it refuses.
  [[nodiscard]] std::vector<ServedPath> served() const;

 private:
  struct Entry {
    std::vector<std::string> segments;
    std::map<std::string, Endpoint, std::less<>> methods;
    YamlBody yaml = YamlBody::kRefused;
    std::optional<http::Response> refusal;
  };
  Entry& entry(std::string_view pattern);
  std::map<std::string, Entry, std::less<>> entries_;
};

/// The Admin API, and the status API, which is the small part of it that is safe to show more widely.
/// Threads: any; a request that changes something blocks until the gateway applies the change.
class Api {
 public:
  enum class Kind { kAdmin, kStatus };
  /// `host` must outlive the API.
  Api(Host& host, Kind kind);

  /// The answer to a request that the guard does not let in; handle() gives it too. Before anything is done for it.
  [[nodiscard]] std::optional<http::Response> refusal(const http::Request& request) const;
  /// Answers with all headers but those that the server adds.
  [[nodiscard]] http::Response handle(const http::Request& request) const;
  /// The request may change something, and so may block.
  static bool is_write(const http::Request& request);

 private:
  void add_headers(const http::Request& request, http::Response& response, double elapsed_ms) const;

  Host& host_;
  Kind kind_;
  std::shared_ptr<const Collections> collections_;  ///< What the endpoints serve.
  Endpoints endpoints_;
};

// The parts of the API, each in its own file.
/// `collections` must outlive the endpoints.
void add_entity_endpoints(Endpoints& endpoints, Host& host, const Collections& collections);
/// What the entities' endpoints have beside the generated ones. After add_entity_endpoints().
void add_consumer_endpoints(Endpoints& endpoints, Host& host);
void add_upstream_endpoints(Endpoints& endpoints, Host& host);
/// After add_entity_endpoints().
void add_certificate_endpoints(Endpoints& endpoints, Host& host);
void add_schema_endpoints(Endpoints& endpoints, Host& host);
void add_tag_endpoints(Endpoints& endpoints, Host& host);
void add_config_endpoints(Endpoints& endpoints, Host& host);
void add_information_endpoints(Endpoints& endpoints, Host& host);
void add_node_endpoints(Endpoints& endpoints, Host& host);
void add_status_endpoints(Endpoints& endpoints, Host& host);
void add_ready_endpoint(Endpoints& endpoints, Host& host);
void add_dns_endpoint(Endpoints& endpoints);

}  // namespace gibbon::agent
