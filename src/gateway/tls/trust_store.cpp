#include "gateway/tls/trust_store.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace gibbon::gateway::tls {

std::string TrustStore::digest_of(std::span<const config::CaCertificate* const> authorities) {
  std::string digest;
  for (const config::CaCertificate* authority : authorities)
    digest = content_digest({digest, authority->cert});
  return digest.empty() ? content_digest({}) : digest;
}

Result<std::shared_ptr<const TrustStore>> TrustStore::make(
    std::span<const config::CaCertificate* const> authorities) {
  auto trust = std::make_shared<TrustStore>();
  trust->store_.reset(X509_STORE_new());
  for (const config::CaCertificate* authority : authorities) {
    const auto certificate = read_certificate(authority->cert);
    if (!certificate)
      return Error{"CA certificate " + authority->id + ": " + certificate.error().message, {}};
    if (!trust->store_ || X509_STORE_add_cert(trust->store_.get(), certificate->get()) != 1)
      return Error{"no memory for a trust store", {}};
  }
  ERR_clear_error();
  if (!trust->store_) return Error{"no memory for a trust store", {}};
  trust->digest_ = digest_of(authorities);
  return std::shared_ptr<const TrustStore>(std::move(trust));
}

bool TrustStore::use(SSL* ssl) const noexcept {
  const bool done = SSL_set1_verify_cert_store(ssl, store_.get()) == 1;
  ERR_clear_error();
  return done;
}

}  // namespace gibbon::gateway::tls
