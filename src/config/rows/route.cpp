#include "config/rows/rows.hpp"

namespace gibbon::config::rows {
namespace {

using namespace gibbon::fields;
using Kind = EntityCheck::Kind;
using Texts = std::vector<std::string>;

/// An element of `sources` or `destinations`.
Field endpoint() {
  return record(
             {
                 {"ip", string().format("ip_or_cidr").description("An address or a range in CIDR notation.")},
                 {"port", port("A port.")},
             })
      .check({.kind = Kind::kAtLeastOneOf, .fields = {"ip", "port"}});
}
Field endpoints(std::string description) { return set(endpoint()).description(std::move(description)); }

Field methods() {
  return set(string().match({"^%u+$", ""}).description("An HTTP method in capital letters."))
      .description("The HTTP methods that match.");
}
Field hosts() {
  return array(string()
                   .match_all({{"^[^*]*%*?[^*]*$", "invalid wildcard: must have at most one wildcard"}})
                   .match_any({"^%*%.", "%.%*$", "^[^*]*$"},
                              "invalid wildcard: must be placed at leftmost or rightmost label")
                   .format("route_host")
                   .description("A host name; its first or its last label may be '*'."))
      .description("The host names that match.");
}
Field paths() {
  return array(string()
                   .match_any({"^/", "^~/"}, "should start with: / (fixed path) or ~/ (regex path)")
                   .match_none({{"//", "must not have empty segments"}})
                   .format("router_path")
                   .description("The beginning of a path, or '~' and a regular expression."))
      .description("The paths that match.");
}
Field headers() {
  return map(string()
                 .match_none(
                     {{"^[Hh][Oo][Ss][Tt]$",
                       "cannot contain 'host' header, which must be specified in the 'hosts' attribute"}})
                 .format("header_name")
                 .description("A header's name."),
             array(string()))
      .description("Headers that must be present, each with one of the values listed.");
}

/// A row that is shut in a subschema, with the reason.
NamedField shut(std::string row, Field field, const std::string& protocols) {
  std::string reason = "cannot set '" + row + "' when 'protocols' is " + protocols;
  return {std::move(row), field.must_be_null().error(std::move(reason))};
}

EntityCheck must_set_one_of(std::string tls_protocol, std::string plain_protocol, Texts fields) {
  Texts with_snis = fields;
  with_snis.push_back("snis");
  return {.kind = Kind::kConditionalAtLeastOneOf,
          .fields = std::move(with_snis),
          .if_field = "protocols",
          .if_match = {rules().contains(tls_protocol)},
          .else_match = {rules().contains(plain_protocol)},
          .else_fields = std::move(fields),
          .message = "must set one of %s when 'protocols' is '" + tls_protocol + "'",
          .else_message = "must set one of %s when 'protocols' is '" + plain_protocol + "'"};
}

Subschema http_routes() {
  const std::string protocols = "'http' or 'https'";
  return {.keys = {"http", "https"},
          .fields = {shut("sources", endpoints("None."), protocols),
                     shut("destinations", endpoints("None."), protocols)},
          .checks = {must_set_one_of("https", "http", {"methods", "hosts", "headers", "paths"})}};
}

Subschema grpc_routes() {
  const std::string protocols = "'grpc' or 'grpcs'";
  return {.keys = {"grpc", "grpcs"},
          .fields = {{"strip_path", boolean().required().default_value(false).not_equal(true).error(
                                        "cannot set 'strip_path' when 'protocols' is " + protocols)},
                     shut("methods", methods(), protocols),
                     shut("sources", endpoints("None."), protocols),
                     shut("destinations", endpoints("None."), protocols)},
          .checks = {must_set_one_of("grpcs", "grpc", {"hosts", "headers", "paths"})}};
}

Subschema stream_routes() {
  const std::string protocols = "'tcp', 'tls', 'tls_passthrough' or 'udp'";
  const auto all_among = [](std::vector<Literal> values) {
    return rules().elements_of(string().one_of(std::move(values)));
  };
  return {.keys = {"tcp", "tls", "udp", "tls_passthrough"},
          .fields = {shut("methods", methods(), protocols), shut("hosts", hosts(), protocols),
                     shut("paths", paths(), protocols), shut("headers", headers(), protocols)},
          .checks = {{.kind = Kind::kConditionalAtLeastOneOf,
                      .fields = {"sources", "destinations", "snis"},
                      .if_field = "protocols",
                      .if_match = {all_among({"tcp", "tls", "udp"})},
                      .message = "must set one of %s when 'protocols' is 'tcp', 'tls' or 'udp'"},
                     {.kind = Kind::kConditionalAtLeastOneOf,
                      .fields = {"snis"},
                      .if_field = "protocols",
                      .if_match = {all_among({Literal(std::string("tls_passthrough"))})},
                      .message = "must set snis when 'protocols' is 'tls_passthrough'"}}};
}

}  // namespace

// clang-format off
Entity routes() {
  Schema schema = record({
      {"id", id()},
      {"created_at", created_at()},
      {"updated_at", updated_at()},
      {"name", name("The route's name.")},
      {"protocols", set(protocol()).required().len_min(1).default_value(Literal(Texts{"http", "https"}))
          .mutually_exclusive_subsets({{"http", "https"}, {"tcp", "tls", "udp"}, {"tls_passthrough"},
                                       {"grpc", "grpcs"}})
          .description("The protocols that the route takes.")},
      {"https_redirect_status_code", integer().required().default_value(426).one_of({426, 301, 302, 307, 308})
          .description("The status of the answer where all matches but the protocol.")},
      {"strip_path", boolean().required().default_value(true)
          .description("Whether the part of the path that matched is taken off on the way to the upstream.")},
      {"preserve_host", boolean().required().default_value(false)
          .description("Whether the upstream gets the client's Host header.")},
      {"request_buffering", boolean().required().default_value(true)
          .description("Whether a request's body is read whole before it is sent on.")},
      {"response_buffering", boolean().required().default_value(true)
          .description("Whether a response is collected before it is sent on.")},
      {"tags", tags()},
      {"service", foreign("services").description("The service that requests go to.")},
      {"snis", set(string().format("wildcard_host").description("A server name."))
          .description("The server names of the TLS handshake that match.")},
      {"sources", endpoints("Where connections may come from.")},
      {"destinations", endpoints("Where connections may have gone to.")},
      {"methods", methods()},
      {"hosts", hosts()},
      {"paths", paths()},
      {"headers", headers()},
      {"regex_priority", integer().default_value(0)
          .description("Which regular expression is tried first where several match: the higher.")},
      {"path_handling", string().default_value("v0").one_of({"v0", "v1"})
          .description("How the service's path, the route's and the request's are put together.")},
  })
      .check({.kind = Kind::kConditional,
              .if_field = "protocols",
              .then_field = "snis",
              .if_match = {rules().elements_of(string().not_one_of({"grpcs", "https", "tls", "tls_passthrough"}))},
              .then_match = {rules().len_eq(0)},
              .message = "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'"})
      .check({.kind = Kind::kCustom, .fields = {"path_handling"}, .custom_name = "path_handling"})
      .subschemas_by("protocols", {http_routes(), stream_routes(), grpc_routes()});
  return {.name = "routes", .schema = std::move(schema), .endpoint_key = "name",
          .description = "Which requests go to a service: by hosts, paths, methods, headers and more."};
}
// clang-format on

}  // namespace gibbon::config::rows
