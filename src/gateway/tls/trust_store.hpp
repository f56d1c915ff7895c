#pragma once

#include <openssl/x509_vfy.h>

#include <memory>
#include <span>
#include <string>

#include "base/pem.hpp"
#include "config/entities.hpp"

namespace gibbon::gateway::tls {

/// The authorities by which a service's upstream is verified. Immutable, shared; threads: any.
class TrustStore {
 public:
  /// Errors: a text that cannot be read, no memory.
  static Result<std::shared_ptr<const TrustStore>> make(
      std::span<const config::CaCertificate* const> authorities);

  /// Verifies the peer of `ssl` by these authorities and no others. Before the handshake.
  bool use(SSL* ssl) const noexcept;
  /// Of all texts, in their order. 32 bytes.
  [[nodiscard]] const std::string& digest() const { return digest_; }
  static std::string digest_of(std::span<const config::CaCertificate* const> authorities);

 private:
  struct StoreFree {
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  };
  std::unique_ptr<X509_STORE, StoreFree> store_;
  std::string digest_;
};

}  // namespace gibbon::gateway::tls
