#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

/// The entities as the gateway and the delivery use them: typed, validated, defaults filled in. The Admin API
/// and the stores work on the JSON objects that the schemas describe; these are read from those.
namespace gibbon::config {

using Uuid = std::array<std::uint8_t, 16>;

/// An entity as the Admin API shows it, without null members, as JSON text. Null where the snapshot's reader keeps none.
using ShownText = std::shared_ptr<const std::string>;

struct Service {
  ShownText shown;
  std::string id, name;
  bool enabled = true;
  std::string protocol = "http", host, path;  ///< path: empty where null.
  std::uint16_t port = 80;
  std::uint32_t retries = 5;
  std::uint32_t connect_timeout_ms = 60000, write_timeout_ms = 60000, read_timeout_ms = 60000;
  std::optional<bool> tls_verify;
  std::optional<std::uint32_t> tls_verify_depth;
  std::string client_certificate_id;  ///< Empty where null.
  std::vector<std::string> ca_certificates;
};

struct Endpoint {  ///< An element of `sources` or `destinations`.
  std::string ip;  ///< An address or a CIDR range; empty: any.
  std::int32_t port = -1;
};

struct Route {
  ShownText shown;
  std::string id, name;
  std::string service_id;  ///< Empty where null.
  std::vector<std::string> protocols, methods, hosts, paths, snis;
  std::vector<std::pair<std::string, std::vector<std::string>>> headers;  ///< Names in lower case.
  std::vector<Endpoint> sources, destinations;
  std::int64_t regex_priority = 0;
  std::int64_t created_at = 0;  ///< Seconds since the epoch; older wins a tie.
  std::uint16_t https_redirect_status_code = 426;
  bool strip_path = true, preserve_host = false, request_buffering = true, response_buffering = true;
  bool path_handling_v1 = false;
};

struct Plugin {
  std::string id, name;
  std::string service_id, route_id, consumer_id;  ///< Empty where null: the plugin is global in that respect.
  std::vector<std::string> protocols;
  bool enabled = true;
  json::object config;
  json::object config_with_references;  ///< As stored, where it refers to a vault's secrets; empty elsewhere.
};

struct Consumer {
  ShownText shown;
  std::string id, username, custom_id;  ///< username, custom_id: empty where null.
};

/// An input of consistent hashing: `hash_on`, or `hash_fallback` where the first gives nothing.
enum class HashInput { kNone, kConsumer, kIp, kHeader, kCookie, kPath, kQueryArg, kUriCapture };

/// What takes a target out of the balancer and brings it back. A count of 0 switches that trigger off.
struct Healthcheck {
  enum class Type { kTcp, kHttp, kHttps, kGrpc, kGrpcs };
  Type type = Type::kHttp;
  std::vector<std::uint16_t> healthy_statuses, unhealthy_statuses;
  std::uint32_t successes = 0;
  std::uint32_t tcp_failures = 0, http_failures = 0, timeouts = 0;
};

struct ActiveHealthcheck : Healthcheck {
  double healthy_interval_s = 0, unhealthy_interval_s = 0;  ///< 0: no probes of targets in that state.
  double timeout_s = 1;
  std::uint32_t concurrency = 10;
  std::string http_path = "/", https_sni;
  bool https_verify_certificate = true;
  std::vector<std::pair<std::string, std::vector<std::string>>> headers;
};

struct Upstream {
  enum class Algorithm { kRoundRobin, kConsistentHashing, kLeastConnections, kLatency };
  std::string id, name;
  Algorithm algorithm = Algorithm::kRoundRobin;
  HashInput hash_on = HashInput::kNone, hash_fallback = HashInput::kNone;
  /// What the inputs read: a header, a cookie, a query argument or a capture of the route's path.
  std::string hash_on_header, hash_fallback_header, hash_on_cookie, hash_on_cookie_path = "/", hash_on_query_arg,
      hash_fallback_query_arg, hash_on_uri_capture, hash_fallback_uri_capture;
  std::uint32_t slots = 10000;
  std::string host_header;  ///< Empty where null: the target's own.
  std::string client_certificate_id;
  bool use_srv_name = false;
  double health_threshold = 0;  ///< Percent of the weight that must be healthy; below, the upstream answers nothing.
  Healthcheck passive;
  ActiveHealthcheck active;
};

struct Target {
  std::string id, upstream_id;
  std::string target;  ///< "host:port", a name or an address; as stored, with its port.
  std::uint32_t weight = 100;
  double created_at = 0;
};

struct Certificate {
  std::string id, cert, key;  ///< PEM.
  std::string cert_alt, key_alt;  ///< PEM of the other key type; empty where null.
};

struct Sni {
  std::string id, name;  ///< "a.example.com", "*.example.com", "example.*", or "*" for the default.
  std::string certificate_id;
};

struct CaCertificate {
  std::string id, cert;  ///< PEM.
  std::string digest;    ///< SHA-256 in hexadecimal.
};

/// A plugin's member for config_with_references, where a snapshot was read.
inline constexpr const char* kStoredConfig = "config with references";

Result<Service> service_from_json(const json::object& object);
Result<Route> route_from_json(const json::object& object);
Result<Plugin> plugin_from_json(const json::object& object);
Result<Consumer> consumer_from_json(const json::object& object);
Result<Upstream> upstream_from_json(const json::object& object);
Result<Target> target_from_json(const json::object& object);
Result<Certificate> certificate_from_json(const json::object& object);
Result<Sni> sni_from_json(const json::object& object);
Result<CaCertificate> ca_certificate_from_json(const json::object& object);

/// "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" to 16 bytes; nothing where it is not a UUID.
std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace gibbon::config
