#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <string>

#include "base/pem.hpp"

/// Keys and certificates made while the tests run.
namespace gibbon::test {

inline std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

inline std::string pem(const EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio);
}

inline std::string pem(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  return text_of(bio);
}

enum class KeyKind { kRsa, kEcdsa };

inline KeyPtr make_key(KeyKind kind) {
  return KeyPtr(kind == KeyKind::kRsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
}

/// A certificate and its key; signed by `issuer`, or by itself.
struct Issued {
  CertificatePtr certificate;
  KeyPtr key;
  [[nodiscard]] std::string cert_text() const { return pem(certificate.get()); }
  [[nodiscard]] std::string key_text() const { return pem(key.get()); }
};

struct IssueOptions {
  KeyKind kind = KeyKind::kEcdsa;
  bool authority = false;
  const Issued* issuer = nullptr;
  long valid_s = 3600;  ///< Negative: expired.
};

inline Issued issue(const std::string& name, const IssueOptions& options = {}) {
  static long serial = 1;
  Issued made{CertificatePtr(X509_new()), make_key(options.kind)};
  X509* x = made.certificate.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x), options.valid_s < 0 ? options.valid_s * 2 : -60);
  X509_gmtime_adj(X509_getm_notAfter(x), options.valid_s);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* issuer = options.issuer != nullptr ? options.issuer->certificate.get() : x;
  X509_set_issuer_name(x, X509_get_subject_name(issuer));
  X509_set_pubkey(x, made.key.get());
  const auto extend = [&](int id, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, x, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
    if (extension == nullptr) throw std::runtime_error("no extension " + value);
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, options.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!options.authority) extend(NID_subject_alt_name, "DNS:" + name);
  X509_sign(x, options.issuer != nullptr ? options.issuer->key.get() : made.key.get(), EVP_sha256());
  return made;
}

}  // namespace gibbon::test
