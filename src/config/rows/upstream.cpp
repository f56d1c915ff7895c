#include "config/rows/rows.hpp"

namespace gibbon::config::rows {
namespace {

using namespace gibbon::fields;
using Kind = EntityCheck::Kind;
using Statuses = std::vector<std::int64_t>;

Field hash_input(std::string description) {
  return string()
      .default_value("none")
      .one_of({"none", "consumer", "ip", "header", "cookie", "path", "query_arg", "uri_capture"})
      .description(std::move(description));
}
Field parameter(std::string description) { return string().len_min(1).description(std::move(description)); }

Field statuses(Statuses values, std::string description) {
  return array(integer().between(100, 999).description("An HTTP status."))
      .default_value(Literal(std::move(values)))
      .description(std::move(description));
}
Field count(std::string description) {
  return integer().default_value(0).between(0, 255).description(std::move(description));
}
Field seconds(int by_default, std::string description) {
  return number().default_value(by_default).between(0, 65535).description(std::move(description));
}
Field check_type() {
  return string().default_value("http").one_of({"tcp", "http", "https", "grpc", "grpcs"})
      .description("What counts: connections alone (tcp), or answers too.");
}

// clang-format off
Field passive() {
  return record({
      {"healthy", record({
          {"successes", count("How many good answers bring a target back; 0: none do.")},
          {"http_statuses", statuses({200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305,
                                      306, 307, 308}, "Good answers.")},
      }).required().default_of_rows()},
      {"unhealthy", record({
          {"tcp_failures", count("How many failed connections take a target out; 0: none do.")},
          {"http_statuses", statuses({429, 500, 503}, "Bad answers.")},
          {"http_failures", count("How many bad answers take a target out; 0: none do.")},
          {"timeouts", count("How many timeouts take a target out; 0: none do.")},
      }).required().default_of_rows()},
      {"type", check_type()},
  }).required().default_of_rows();
}

Field active() {
  return record({
      {"healthy", record({
          {"http_statuses", statuses({200, 302}, "Good answers to a probe.")},
          {"successes", count("How many good probes bring a target back; 0: none do.")},
          {"interval", seconds(0, "Seconds between probes of healthy targets; 0: they are not probed.")},
      }).required().default_of_rows()},
      {"unhealthy", record({
          {"http_statuses", statuses({429, 404, 500, 501, 502, 503, 504, 505}, "Bad answers to a probe.")},
          {"tcp_failures", count("How many failed connections take a target out; 0: none do.")},
          {"timeouts", count("How many timeouts take a target out; 0: none do.")},
          {"http_failures", count("How many bad answers take a target out; 0: none do.")},
          {"interval", seconds(0, "Seconds between probes of unhealthy targets; 0: they are not probed.")},
      }).required().default_of_rows()},
      {"type", check_type()},
      {"timeout", seconds(1, "Seconds that a probe may take.")},
      {"https_sni", string().optional().format("sni").description("The server name of TLS probes.")},
      {"concurrency", integer().default_value(10).between(1, 2147483648.0)
          .description("How many targets are probed at once.")},
      {"http_path", path().default_value("/").description("The path of HTTP probes.")},
      {"headers", map(header_name(), array(string())).optional().description("Headers of HTTP probes.")},
      {"https_verify_certificate", boolean().required().default_value(true)
          .description("Whether the certificate of TLS probes is verified.")},
  }).required().default_of_rows();
}

/// "When hash_on is `input`, `field` must be set."
EntityCheck wants(std::string choice, std::string input, std::string field) {
  return {.kind = Kind::kConditional,
          .if_field = std::move(choice),
          .then_field = std::move(field),
          .if_match = {rules().match({"^" + input + "$", ""})},
          .then_match = {rules().required()}};
}
/// "When hash_on is `input`, hash_fallback must be one of `allowed`."
EntityCheck fallback(std::string input, std::vector<Literal> allowed) {
  return {.kind = Kind::kConditional,
          .if_field = "hash_on",
          .then_field = "hash_fallback",
          .if_match = {rules().match({"^" + input + "$", ""})},
          .then_match = {is_one_of(std::move(allowed))}};
}
EntityCheck distinct(std::string a, std::string b) {
  return {.kind = Kind::kDistinct, .fields = {std::move(a), std::move(b)}};
}

}  // namespace

Entity upstreams() {
  Schema schema = record({
      {"id", id()},
      {"created_at", created_at()},
      {"name", string().required().unique().format("upstream_name")
          .description("A host name; services whose host it is go to the upstream's targets.")},
      {"updated_at", updated_at()},
      {"algorithm", string().default_value("round-robin")
          .one_of({"consistent-hashing", "least-connections", "round-robin", "latency"})
          .description("How requests are shared among the targets.")},
      {"hash_on", hash_input("What consistent hashing looks at.")},
      {"hash_fallback", hash_input("What it looks at where hash_on gives nothing.")},
      {"hash_on_header", header_name().description("The header whose value is hashed.")},
      {"hash_fallback_header", header_name().description("The header whose value is hashed as the fallback.")},
      {"hash_on_cookie", string().format("cookie_name")
          .description("The cookie whose value is hashed; it is set where a request has none.")},
      {"hash_on_cookie_path", path().default_value("/").description("The path of the cookie that is set.")},
      {"hash_on_query_arg", parameter("The query argument whose value is hashed.")},
      {"hash_fallback_query_arg", parameter("The query argument whose value is hashed as the fallback.")},
      {"hash_on_uri_capture", parameter("The capture of the route's path whose value is hashed.")},
      {"hash_fallback_uri_capture", parameter("The capture whose value is hashed as the fallback.")},
      {"slots", integer().default_value(10000).between(10, 65536)
          .description("How finely consistent hashing shares requests.")},
      {"healthchecks", record({
          {"passive", passive().description("What is learnt from the traffic itself.")},
          {"active", active().description("What is learnt from probes.")},
          {"threshold", number().default_value(0).between(0, 100)
              .description("Percent of the targets' weight that must be healthy for the upstream to be used.")},
      }).required().default_of_rows({"threshold"}).description("When targets are taken out, and brought back.")},
      {"tags", tags()},
      {"host_header", string().format("host_with_optional_port")
          .description("The Host header that targets get.")},
      {"client_certificate", foreign("certificates")
          .description("The certificate that is shown to targets in the TLS handshake.")},
      {"use_srv_name", boolean().default_value(false)
          .description("Whether the name of a target's SRV record becomes the Host header.")},
  })
      .check(wants("hash_on", "header", "hash_on_header"))
      .check(wants("hash_fallback", "header", "hash_fallback_header"))
      .check(wants("hash_on", "cookie", "hash_on_cookie"))
      .check(wants("hash_fallback", "cookie", "hash_on_cookie"))
      .check(fallback("none", {"none"}))
      .check(fallback("cookie", {"none"}))
      .check(fallback("consumer", {"none", "ip", "header", "cookie", "path", "query_arg", "uri_capture"}))
      .check(fallback("ip", {"none", "consumer", "header", "cookie", "path", "query_arg", "uri_capture"}))
      .check(fallback("path", {"none", "consumer", "header", "cookie", "query_arg", "ip", "uri_capture"}))
      .check(distinct("hash_on_header", "hash_fallback_header"))
      .check(wants("hash_on", "query_arg", "hash_on_query_arg"))
      .check(wants("hash_fallback", "query_arg", "hash_fallback_query_arg"))
      .check(distinct("hash_on_query_arg", "hash_fallback_query_arg"))
      .check(wants("hash_on", "uri_capture", "hash_on_uri_capture"))
      .check(wants("hash_fallback", "uri_capture", "hash_fallback_uri_capture"))
      .check(distinct("hash_on_uri_capture", "hash_fallback_uri_capture"));
  return {.name = "upstreams", .schema = std::move(schema), .endpoint_key = "name",
          .description = "A name for several targets, and how requests are shared among them."};
}

Entity targets() {
  Schema schema = record({
      {"id", id()},
      {"created_at", number().timestamp().automatic()
          .description("When the target was added, in seconds since the epoch, with milliseconds.")},
      {"updated_at", number().timestamp().automatic()
          .description("When the target was last changed, in seconds since the epoch, with milliseconds.")},
      {"upstream", foreign("upstreams").required().on_delete_cascade()
          .description("The upstream that the target belongs to.")},
      {"target", string().required().format("target")
          .description("A host name or an address, with a port (8000 where none is given).")},
      {"weight", integer().default_value(100).between(0, 65535)
          .description("The target's share of the requests; 0: none.")},
      {"tags", tags()},
  });
  return {.name = "targets",
          .schema = std::move(schema),
          .endpoint_key = "target",
          .cache_key = {"upstream", "target"},
          .access = Entity::Access::kNestedOnly,
          .description = "One of the addresses that an upstream shares requests among."};
}
// clang-format on

}  // namespace gibbon::config::rows
