#include "schema/certificate_checks.hpp"

#include <gtest/gtest.h>

#include "../support/certificates.hpp"
#include "schema/formats.hpp"

namespace gibbon::schema {
namespace {

using test::issue;
using test::KeyKind;

TEST(CertificateChecks, AreKnownAsFormats) {
  const auto leaf = issue("leaf.test");
  EXPECT_EQ(check_format("certificate", leaf.cert_text()), std::nullopt);
  EXPECT_EQ(check_format("private_key", leaf.key_text()), std::nullopt);
  EXPECT_TRUE(check_format("certificate", leaf.key_text())->starts_with("invalid certificate: x509.new: "));
  EXPECT_TRUE(check_format("private_key", leaf.cert_text())->starts_with("invalid key: pkey.new:load_key: "));
  EXPECT_TRUE(is_known_format("certificate"));
}

TEST(CertificateChecks, CompareAKeyWithItsCertificate) {
  const auto one = issue("one.test"), other = issue("other.test");
  EXPECT_EQ(check_certificate_key({{"cert", one.cert_text()}, {"key", one.key_text()}}), std::nullopt);
  EXPECT_EQ(check_certificate_key({{"cert", one.cert_text()}, {"key", other.key_text()}}),
            "certificate does not match key");
  EXPECT_EQ(check_certificate_alt_key({{"cert_alt", one.cert_text()}, {"key_alt", other.key_text()}}),
            "alternative certificate does not match key");
  EXPECT_EQ(check_certificate_alt_key({{"cert_alt", nullptr}, {"key_alt", nullptr}}), std::nullopt);
}

TEST(CertificateChecks, WantTwoTypesOfKey) {
  const auto rsa = issue("one.test", {.kind = KeyKind::kRsa}), ecdsa = issue("one.test"),
             more = issue("one.test");
  EXPECT_EQ(check_certificate_types({{"cert", rsa.cert_text()}, {"cert_alt", ecdsa.cert_text()}}),
            std::nullopt);
  EXPECT_EQ(check_certificate_types({{"cert", rsa.cert_text()}, {"cert_alt", nullptr}}), std::nullopt);
  EXPECT_EQ(check_certificate_types({{"cert", ecdsa.cert_text()}, {"cert_alt", more.cert_text()}}),
            "certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), the "
            "provided "
            "certificates were both of the same type");
}

TEST(CertificateChecks, KnowAnAuthority) {
  const auto authority = issue("authority", {.authority = true});
  EXPECT_EQ(check_ca_certificate({{"cert", authority.cert_text()}}), std::nullopt);
  EXPECT_EQ(check_ca_certificate({{"cert", authority.cert_text() + authority.cert_text()}}),
            "please submit only one certificate at a time");
  EXPECT_EQ(check_ca_certificate({{"cert", issue("leaf.test").cert_text()}}),
            "certificate does not appear to be a CA because it is missing the \"CA\" basic constraint");
  EXPECT_EQ(check_ca_certificate({{"cert", issue("old", {.authority = true, .valid_s = -3600}).cert_text()}}),
            "certificate expired, \"Not After\" time is in the past");
}

}  // namespace
}  // namespace gibbon::schema
