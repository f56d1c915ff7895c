#include "plugin_rows.hpp"

#include "gibbon/typedefs.hpp"

// Of plugins that are bundled: their own.
gibbon::Schema rate_limiting_schema();
gibbon::Schema prometheus_schema();

namespace gibbon::test {
namespace {

using namespace gibbon::fields;
using namespace gibbon::typedefs;
using Kind = EntityCheck::Kind;
using Texts = std::vector<std::string>;

Field flag(bool value) { return boolean().required().default_value(value); }
Field texts() { return array(string()); }
EntityCheck at_least_one_of(Texts names) { return {.kind = Kind::kAtLeastOneOf, .fields = std::move(names)}; }
Deprecation gone(std::string message, int old_default) {
  return {std::move(message), "4.0", Literal(std::int64_t{old_default})};
}

// clang-format off
Schema request_response_logger() {
  return record({
      {"log_endpoint", string().default_value("http://localhost:3000/logs").url()},
      {"timeout", number().default_value(10000)},
      {"keepalive", number().default_value(60000)},
      {"log_request_body", boolean().default_value(true)},
      {"log_response_body", boolean().default_value(true)},
      {"max_body_size", number().default_value(1024)},
  });
}

Schema correlation_id() {
  return record({
      {"header_name", string().default_value("Kong-Request-ID")},
      {"generator", string().required().default_value("uuid#counter").one_of({"uuid", "uuid#counter", "tracker"})},
      {"echo_downstream", flag(false)},
  }).in_entity({{"protocols", protocols_http()}});
}

Schema http_log() {
  return record({
      {"http_endpoint", url().required().encrypted().referenceable()},
      {"method", string().default_value("POST").one_of({"POST", "PUT", "PATCH"})},
      {"content_type", string().default_value("application/json")
          .one_of({"application/json", "application/json; charset=utf-8"})},
      {"timeout", number().default_value(10000)},
      {"keepalive", number().default_value(60000)},
      {"retry_count", integer().deprecated(gone(
          "http-log: config.retry_count no longer works, please use config.queue.max_retry_time instead", 10))},
      {"queue_size", integer().deprecated(gone(
          "http-log: config.queue_size is deprecated, please use config.queue.max_batch_size instead", 1))},
      {"flush_timeout", number().deprecated(gone(
          "http-log: config.flush_timeout is deprecated, please use config.queue.max_coalescing_delay instead", 2))},
      {"headers", map(header_name().match_none({
                          {"^[Hh][Oo][Ss][Tt]$", "cannot contain 'Host' header"},
                          {"^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Ll][Ee][nn][Gg][Tt][Hh]$",
                           "cannot contain 'Content-Length' header"},
                          {"^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Tt][Yy][Pp][Ee]$", "cannot contain 'Content-Type' header"}}),
                      string().referenceable())},
      {"queue", queue()},
      {"custom_fields_by_lua", lua_code()},
  }).in_entity({{"protocols", protocols()}});
}

Schema key_auth() {
  return record({
      {"key_names", array(header_name()).required().default_value(Literal(Texts{"apikey"}))},
      {"hide_credentials", flag(false)},
      {"anonymous", string()},
      {"key_in_header", flag(true)},
      {"key_in_query", flag(true)},
      {"key_in_body", flag(false)},
      {"run_on_preflight", flag(true)},
      {"realm", string().optional()},
  }).in_entity({{"consumer", no_consumer()}, {"protocols", protocols_http()}});
}

Schema basic_auth() {
  return record({
      {"anonymous", string()},
      {"hide_credentials", flag(false)},
      {"realm", string().required().default_value("service")},
  }).in_entity({{"consumer", no_consumer()}, {"protocols", protocols_http()}});
}

Schema acl() {
  return record({
      {"allow", texts()},
      {"deny", texts()},
      {"hide_groups_header", flag(false)},
      {"always_use_authenticated_groups", flag(false)},
  }).in_entity({{"consumer", no_consumer()}, {"protocols", protocols_http()}})
      .check({.kind = Kind::kOnlyOneOf, .fields = {"allow", "deny"}})
      .check(at_least_one_of({"allow", "deny"}));
}

Schema ip_restriction() {
  const auto addresses = [] { return array(string().format("ip_or_cidr")); };
  return record({
      {"allow", addresses()},
      {"deny", addresses()},
      {"status", number().optional()},
      {"message", string().optional()},
  }).in_entity({{"protocols", protocols({"http", "https", "tcp", "tls", "grpc", "grpcs"})}})
      .check(at_least_one_of({"allow", "deny"}));
}

Schema request_termination() {
  return record({
      {"status_code", integer().required().default_value(503).between(100, 599)},
      {"message", string()},
      {"content_type", string()},
      {"body", string()},
      {"echo", flag(false)},
      {"trigger", header_name()},
  }).in_entity({{"protocols", protocols_http()}});
}

Schema request_size_limiting() {
  return record({
      {"allowed_payload_size", integer().default_value(128)},
      {"size_unit", string().required().default_value("megabytes").one_of({"megabytes", "kilobytes", "bytes"})},
      {"require_content_length", flag(false)},
  }).in_entity({{"protocols", protocols_http()}});
}

std::optional<std::string> star_or_regex(std::string_view text) {
  if (text.find('(') == std::string_view::npos) return {};
  return "'" + std::string(text) + "' is not a valid regex";
}

Schema cors() {
  const Texts methods = {"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"};
  return record({
      {"origins", array(string().validated_by(star_or_regex))},
      {"headers", texts()},
      {"exposed_headers", texts()},
      {"methods", array(string().one_of({methods.begin(), methods.end()})).default_value(Literal(methods))},
      {"max_age", number()},
      {"credentials", flag(false)},
      {"private_network", flag(false)},
      {"preflight_continue", flag(false)},
      {"allow_origin_absent", flag(true)},
  }).in_entity({{"consumer", no_consumer()}, {"protocols", protocols_http()}});
}

Schema file_log() {
  return record({
      {"path", string().required().match({R"(^[^%s*&%%\`][^*&%%\`]*[^%s*&%%\`]$)", {}}).error("not a valid filename")},
      {"reopen", flag(false)},
      {"custom_fields_by_lua", lua_code()},
  }).in_entity({{"protocols", protocols()}});
}

Schema tcp_log() {
  return record({
      {"host", host().required()},
      {"port", port().required()},
      {"timeout", number().default_value(10000)},
      {"keepalive", number().default_value(60000)},
      {"tls", flag(false)},
      {"tls_sni", string()},
      {"custom_fields_by_lua", lua_code()},
  }).in_entity({{"protocols", protocols()}});
}

Schema udp_log() {
  return record({
      {"host", host().required()},
      {"port", port().required()},
      {"timeout", number().default_value(10000)},
      {"custom_fields_by_lua", lua_code()},
  }).in_entity({{"protocols", protocols()}});
}

Field list_of(Field element) { return array(std::move(element)).required().default_value(Literal(Texts{})); }
Field pairs() { return list_of(string().match({"^[^:]+:.*$", {}})); }

Schema request_transformer() {
  const auto what = [](Field headers) {
    return record({{"body", list_of(string())}, {"headers", std::move(headers)}, {"querystring", list_of(string())}})
        .required();
  };
  Field replace = what(pairs());
  replace.fields.push_back({"uri", string()});
  return record({
      {"http_method", http_method()},
      {"remove", what(list_of(string()))},
      {"rename", what(pairs())},
      {"replace", std::move(replace)},
      {"add", what(pairs())},
      {"append", what(pairs())},
  }).in_entity({{"protocols", protocols()}});
}

Schema response_transformer() {
  const auto typed = [] {
    return record({
        {"json", pairs()},
        {"json_types", list_of(string().one_of({"boolean", "number", "string"}))},
        {"headers", pairs()},
    }).required();
  };
  return record({
      {"remove", record({{"json", list_of(string())}, {"headers", list_of(string())}}).required()},
      {"rename", record({{"json", pairs()}, {"headers", pairs()}}).required()},
      {"replace", typed()},
      {"add", typed()},
      {"append", typed()},
  }).in_entity({{"protocols", protocols_http()}});
}
// clang-format on

}  // namespace

const std::map<std::string, Schema>& plugin_rows() {
  static const std::map<std::string, Schema> all = {
      {"request-response-logger", request_response_logger()},
      {"correlation-id", correlation_id()},
      {"http-log", http_log()},
      {"rate-limiting", rate_limiting_schema()},
      {"key-auth", key_auth()},
      {"basic-auth", basic_auth()},
      {"acl", acl()},
      {"ip-restriction", ip_restriction()},
      {"request-termination", request_termination()},
      {"request-size-limiting", request_size_limiting()},
      {"cors", cors()},
      {"file-log", file_log()},
      {"tcp-log", tcp_log()},
      {"udp-log", udp_log()},
      {"prometheus", prometheus_schema()},
      {"request-transformer", request_transformer()},
      {"response-transformer", response_transformer()},
  };
  return all;
}

}  // namespace gibbon::test
