#include "schema/certificate_checks.hpp"

#include <openssl/x509v3.h>

#include "base/pem.hpp"

namespace gibbon::schema {
namespace {

using Violation = std::optional<std::string>;

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";

/// Null where the field is not text, or not a certificate.
CertificatePtr certificate_in(const json::object& entity, std::string_view field) {
  const json::value* value = entity.if_contains(field);
  if (value == nullptr || !value->is_string()) return nullptr;
  auto certificate = read_certificate(value->get_string());
  return certificate.ok() ? std::move(certificate).value() : nullptr;
}

KeyPtr key_in(const json::object& entity, std::string_view field) {
  const json::value* value = entity.if_contains(field);
  if (value == nullptr || !value->is_string()) return nullptr;
  auto key = read_private_key(value->get_string());
  return key.ok() ? std::move(key).value() : nullptr;
}

Violation check_pair(const json::object& entity, std::string_view certificate_field,
                     std::string_view key_field, const char* message) {
  const CertificatePtr certificate = certificate_in(entity, certificate_field);
  const KeyPtr key = key_in(entity, key_field);
  if (!certificate || !key || belongs_together(certificate.get(), key.get())) return {};
  return message;
}

int key_type(const X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  return key == nullptr ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key);
}

}  // namespace

Violation check_certificate(std::string_view text) {
  const auto certificates = read_certificates(text);
  if (certificates.ok()) return {};
  return "invalid certificate: " + certificates.error().message;
}

Violation check_private_key(std::string_view text) {
  const auto key = read_private_key(text);
  if (key.ok()) return {};
  return "invalid key: " + key.error().message;
}

Violation check_certificate_key(const json::object& entity) {
  return check_pair(entity, "cert", "key", "certificate does not match key");
}

Violation check_certificate_alt_key(const json::object& entity) {
  return check_pair(entity, "cert_alt", "key_alt", "alternative certificate does not match key");
}

Violation check_certificate_types(const json::object& entity) {
  const CertificatePtr one = certificate_in(entity, "cert"), other = certificate_in(entity, "cert_alt");
  if (!one || !other || key_type(one.get()) != key_type(other.get())) return {};
  return "certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), the "
         "provided "
         "certificates were both of the same type";
}

Violation check_ca_certificate(const json::object& entity) {
  const CertificatePtr certificate = certificate_in(entity, "cert");
  if (!certificate) return {};
  const std::string_view text = entity.at("cert").get_string();
  const std::size_t first = text.find(kBegin);
  if (first != std::string_view::npos && text.find(kBegin, first + kBegin.size()) != std::string_view::npos)
    return "please submit only one certificate at a time";
  if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0)
    return "certificate expired, \"Not After\" time is in the past";
  if ((X509_get_extension_flags(certificate.get()) & EXFLAG_CA) == 0)
    return "certificate does not appear to be a CA because it is missing the \"CA\" basic constraint";
  return {};
}

}  // namespace gibbon::schema
