#include "base/pem.hpp"

#include <gtest/gtest.h>

#include "../support/certificates.hpp"

namespace gibbon {
namespace {

TEST(Pem, ReadsACertificateItsChainAndItsKey) {
  const auto authority = test::issue("authority", {.authority = true});
  const auto leaf = test::issue("leaf.test", {.issuer = &authority});
  const auto all = read_certificates("a comment\n" + leaf.cert_text() + authority.cert_text());
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ(X509_cmp((*all)[0].get(), leaf.certificate.get()), 0);
  EXPECT_EQ(X509_cmp((*all)[1].get(), authority.certificate.get()), 0);
  const auto key = read_private_key(leaf.key_text());
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_TRUE(belongs_together((*all)[0].get(), key->get()));
  EXPECT_FALSE(belongs_together((*all)[1].get(), key->get()));
}

TEST(Pem, SaysInKongsWordsWhatIsWrong) {
  EXPECT_TRUE(read_certificate("foo").error().message.starts_with(
      "x509.new: error:680008E:asn1 encoding routines:asn1_d2i_read_bio:not enough data:asn1/a_d2i_fp.c:"))
      << read_certificate("foo").error().message;
  const std::string damaged = "-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n";
  EXPECT_TRUE(read_certificate(damaged).error().message.starts_with(
      "x509.new: error:688010A:asn1 encoding routines:asn1_item_embed_d2i:nested asn1 "
      "error:asn1/tasn_dec.c:"))
      << read_certificate(damaged).error().message;
  EXPECT_TRUE(read_private_key("foo").error().message.starts_with(
      "pkey.new:load_key: error:1E08010C:DECODER routines:OSSL_DECODER_from_bio:unsupported:"))
      << read_private_key("foo").error().message;
}

TEST(Pem, RefusesADamagedChain) {
  const auto leaf = test::issue("leaf.test");
  const std::string damaged = "-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n";
  EXPECT_TRUE(read_certificate(leaf.cert_text() + damaged));
  EXPECT_FALSE(read_certificates(leaf.cert_text() + damaged));
}

TEST(Pem, NeverAsksForAPassphrase) {
  const auto leaf = test::issue("leaf.test");
  BIO* bio = BIO_new(BIO_s_mem());
  unsigned char word[] = "word";
  PEM_write_bio_PrivateKey(bio, leaf.key.get(), EVP_aes_128_cbc(), word, 4, nullptr, nullptr);
  EXPECT_FALSE(read_private_key(test::text_of(bio)));
}

TEST(Pem, TellsTextsApart) {
  EXPECT_EQ(content_digest({"ab", "c"}), content_digest({"ab", "c"}));
  EXPECT_NE(content_digest({"ab", "c"}), content_digest({"a", "bc"}));
  EXPECT_EQ(content_digest({}).size(), 32U);
  EXPECT_EQ(certificate_digest(test::issue("leaf.test").certificate.get()).size(), 64U);
}

}  // namespace
}  // namespace gibbon
