#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// Certificates and private keys as they stand in files, requests and the store: read, never shown.
/// No function here asks for a passphrase: an encrypted key is an error.
namespace gibbon {

struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using CertificatePtr = std::unique_ptr<X509, X509Free>;

struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyFree>;

/// The first certificate of a text: PEM, or else DER.
/// Errors: in lua-resty-openssl's words, which Kong's users see: "x509.new: error:688010A:asn1 ...".
Result<CertificatePtr> read_certificate(std::string_view text);

/// Every certificate of a text in its order: the leaf, then its chain; or a list of authorities. Never empty.
/// Errors: as read_certificate(), also for a later one that is damaged.
Result<std::vector<CertificatePtr>> read_certificates(std::string_view text);

/// A private key: PEM (PKCS#8, or the older forms), or else DER.
/// Errors: likewise: "pkey.new:load_key: error:...". They hold nothing of the key.
Result<KeyPtr> read_private_key(std::string_view text);

/// Whether the key is the one whose public half the certificate holds.
bool belongs_together(const X509* certificate, const EVP_PKEY* key);

/// SHA-256 as lower-case hexadecimal: of a certificate's DER form; empty where there is no memory.
std::string certificate_digest(const X509* certificate);
/// SHA-256 of texts, each with its length, so that no two lists are alike: 32 bytes.
std::string content_digest(std::initializer_list<std::string_view> texts);

}  // namespace gibbon
