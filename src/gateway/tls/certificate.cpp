#include "gateway/tls/certificate.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace gibbon::gateway::tls {
namespace {

Result<KeyedCertificate> parse_pair(const std::string& certificate, const std::string& key) {
  auto certificates = read_certificates(certificate);
  if (!certificates) return certificates.error();
  auto private_key = read_private_key(key);
  if (!private_key) return private_key.error();
  KeyedCertificate pair;
  pair.leaf = std::move(certificates->front());
  pair.key = std::move(private_key).value();
  if (!belongs_together(pair.leaf.get(), pair.key.get())) return Error{"certificate does not match key", {}};
  pair.chain.reset(sk_X509_new_null());
  for (std::size_t i = 1; pair.chain && i < certificates->size(); ++i) {
    CertificatePtr& next = (*certificates)[i];
    if (sk_X509_push(pair.chain.get(), next.get()) == 0) pair.chain.reset();
    (void)next.release();
  }
  if (!pair.chain) return Error{"no memory for a certificate chain", {}};
  // OpenSSL reads the extensions at their first use: here, and not in a handshake.
  X509_check_purpose(pair.leaf.get(), -1, 0);
  return pair;
}

bool add(SSL* ssl, const KeyedCertificate& pair) {
  constexpr int kOverride = 1;
  return SSL_use_cert_and_key(ssl, pair.leaf.get(), pair.key.get(), pair.chain.get(), kOverride) == 1;
}

}  // namespace

std::string Certificate::digest_of(const config::Certificate& certificate) {
  return content_digest({certificate.cert, certificate.key, certificate.cert_alt, certificate.key_alt});
}

Result<std::shared_ptr<const Certificate>> Certificate::parse(const config::Certificate& certificate) {
  auto parsed = std::make_shared<Certificate>();
  auto first = parse_pair(certificate.cert, certificate.key);
  if (!first) return first.error();
  parsed->first_ = std::move(first).value();
  if (!certificate.cert_alt.empty()) {
    auto alternative = parse_pair(certificate.cert_alt, certificate.key_alt);
    if (!alternative) return Error{"alternative: " + alternative.error().message, {}};
    parsed->alternative_ = std::move(alternative).value();
  }
  parsed->digest_ = digest_of(certificate);
  return std::shared_ptr<const Certificate>(std::move(parsed));
}

bool Certificate::use_first(SSL* ssl) const noexcept {
  SSL_certs_clear(ssl);
  const bool done = add(ssl, first_);
  if (!done) SSL_certs_clear(ssl);
  ERR_clear_error();
  return done;
}

bool Certificate::use(SSL* ssl) const noexcept {
  if (!use_first(ssl)) return false;
  const bool done = !alternative_ || add(ssl, *alternative_);
  if (!done) SSL_certs_clear(ssl);
  ERR_clear_error();
  return done;
}

}  // namespace gibbon::gateway::tls
