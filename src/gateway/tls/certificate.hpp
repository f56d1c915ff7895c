#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

#include "base/pem.hpp"
#include "config/entities.hpp"

namespace gibbon::gateway::tls {

struct ChainFree {
  void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
};

/// A certificate with the chain below its root, and its key.
struct KeyedCertificate {
  CertificatePtr leaf;
  std::unique_ptr<STACK_OF(X509), ChainFree> chain;
  KeyPtr key;
};

/// A certificate of the configuration, parsed and ready for handshakes. Immutable, shared by the generations
/// that have it; threads: any.
class Certificate {
 public:
  /// Errors: a text that cannot be read, or a key of another certificate. They hold nothing of the key.
  static Result<std::shared_ptr<const Certificate>> parse(const config::Certificate& certificate);

  /// Takes the place of whatever certificate `ssl` has: with both key types where there are two, of which
  /// OpenSSL shows the one that the other side can verify. Costs no parsing. False: no memory, or a key that
  /// the connection's security level forbids; `ssl` then has no certificate.
  bool use(SSL* ssl) const noexcept;
  /// As use(), with the first certificate alone: for the client's side, as Kong.
  bool use_first(SSL* ssl) const noexcept;

  /// Of all texts: changes when any of them does. 32 bytes.
  [[nodiscard]] const std::string& digest() const { return digest_; }
  static std::string digest_of(const config::Certificate& certificate);

 private:
  KeyedCertificate first_;
  std::optional<KeyedCertificate> alternative_;
  std::string digest_;
};

}  // namespace gibbon::gateway::tls
