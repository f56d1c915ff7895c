#pragma once

#include <array>
#include <cstdint>
#include <map>
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

struct Service {
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
};

Result<Service> service_from_json(const json::object& object);
Result<Route> route_from_json(const json::object& object);
Result<Plugin> plugin_from_json(const json::object& object);

/// "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" to 16 bytes; nothing where it is not a UUID.
std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace gibbon::config
