#include "config/rows/rows.hpp"

namespace gibbon::config::rows {
namespace {

using namespace gibbon::fields;
using Kind = EntityCheck::Kind;

Field certificate(std::string description) {
  return string().format("certificate").description(std::move(description));
}
Field private_key(std::string description) {
  return string().format("private_key").referenceable().description(std::move(description));
}

}  // namespace

// clang-format off
Entity certificates() {
  Schema schema = record({
      {"id", id()},
      {"created_at", created_at()},
      {"updated_at", updated_at()},
      {"cert", certificate("The certificate in PEM, its chain after it.").required().referenceable()},
      {"key", private_key("The certificate's private key in PEM.").required()},
      {"cert_alt", certificate("A certificate with another type of key, for clients that can use it.").referenceable().optional()},
      {"key_alt", private_key("The private key of cert_alt.").optional()},
      {"tags", tags()},
      {"snis", array(string().format("wildcard_host").description("A server name."))
          .transient().optional().description("The server names for which the certificate is shown.")},
  })
      .check({.kind = Kind::kMutuallyRequired, .fields = {"cert_alt", "key_alt"}})
      .check({.kind = Kind::kCustom, .fields = {"cert", "key"}, .custom_name = "certificate_key"})
      .check({.kind = Kind::kCustom, .fields = {"cert_alt", "key_alt"}, .custom_name = "certificate_alt_key"})
      .check({.kind = Kind::kCustom, .fields = {"cert", "cert_alt"}, .custom_name = "certificate_types"});
  return {.name = "certificates", .schema = std::move(schema),
          .description = "A certificate with its private key, shown to clients or to upstreams."};
}

Entity snis() {
  Schema schema = record({
      {"id", id()},
      {"name", string().required().unique_across_workspaces().format("wildcard_host")
          .description("A server name; its first or its last label may be '*'.")},
      {"created_at", created_at()},
      {"updated_at", updated_at()},
      {"tags", tags()},
      {"certificate", foreign("certificates").required()
          .description("The certificate that is shown to clients that ask for the name.")},
  });
  return {.name = "snis", .schema = std::move(schema), .endpoint_key = "name",
          .description = "A server name for which a certificate is shown."};
}

Entity ca_certificates() {
  Schema schema = record({
      {"id", id()},
      {"created_at", created_at()},
      {"updated_at", updated_at()},
      {"cert", certificate("The certificate of one authority in PEM.").required()},
      {"cert_digest", string().unique()
          .description("The certificate's SHA-256 in hexadecimal digits; filled in.")},
      {"tags", tags()},
  })
      .check({.kind = Kind::kCustom, .fields = {"cert"}, .custom_name = "ca_certificate"});
  return {.name = "ca_certificates", .schema = std::move(schema),
          .description = "The certificate of an authority, to verify upstreams with."};
}
// clang-format on

}  // namespace gibbon::config::rows
