#include "config/rows/rows.hpp"

namespace gibbon::config::rows {
namespace {

using namespace gibbon::fields;
using Kind = EntityCheck::Kind;

Field timeout(std::string description) {
  return integer().default_value(60000).between(1, 2147483646).description(std::move(description));
}

/// A field of a service that makes sense over TLS alone.
EntityCheck only_over_tls(std::string field) {
  return {.kind = Kind::kConditional,
          .if_field = "protocol",
          .then_field = std::move(field),
          .if_match = {is_not_one_of({"https", "tls"})},
          .then_match = {rules().must_be_null()}};
}

}  // namespace

// clang-format off
Entity services() {
  Schema schema = record({
      {"id", id()},
      {"created_at", created_at()},
      {"updated_at", updated_at()},
      {"name", name("The service's name.")},
      {"retries", integer().default_value(5).between(0, 32767)
          .description("How often a request is tried again where the upstream could not be reached.")},
      {"protocol", protocol().required().default_value("http")
          .description("The protocol that is spoken to the upstream.")},
      {"host", string().required().format("host")
          .description("The upstream's host name or address, or the name of an upstream entity.")},
      {"port", port("The upstream's port.").required().default_value(80)},
      {"path", path()
          .description("A path that is put before that of each request.")},
      {"connect_timeout", timeout("Milliseconds in which a connection to the upstream must stand.")},
      {"write_timeout", timeout("Milliseconds between two writes to the upstream.")},
      {"read_timeout", timeout("Milliseconds between two reads from the upstream.")},
      {"tags", tags()},
      {"client_certificate", foreign("certificates")
          .description("The certificate that is shown to the upstream in the TLS handshake.")},
      {"tls_verify", boolean()
          .description("Whether the upstream's certificate is verified; the gateway's own setting where null.")},
      {"tls_verify_depth", integer().default_value(Literal(nullptr)).between(0, 64)
          .description("How long a chain of certificates may be when it is verified.")},
      {"ca_certificates", array(string().uuid())
          .description("UUIDs of the CA certificates that the upstream's certificate is verified with.")},
      {"enabled", boolean().required().default_value(true)
          .description("Whether the service takes part at all.")},
  })
      .shorthand("url", string().description("Sets protocol, host, port and path at once."), "url")
      .check({.kind = Kind::kConditional,
              .if_field = "protocol",
              .then_field = "path",
              .if_match = {is_one_of({"tcp", "tls", "udp", "grpc", "grpcs"})},
              .then_match = {rules().must_be_null()}})
      .check(only_over_tls("client_certificate"))
      .check(only_over_tls("tls_verify"))
      .check(only_over_tls("tls_verify_depth"))
      .check(only_over_tls("ca_certificates"));
  return {.name = "services", .schema = std::move(schema), .endpoint_key = "name",
          .description = "An upstream that requests go to."};
}
// clang-format on

}  // namespace gibbon::config::rows
