#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string>

#include "../../support/certificates.hpp"

namespace gibbon::gateway::tls {

/// A client and a server in one process. The client verifies by nothing, and notes what it would have said.
class Handshake {
 public:
  explicit Handshake(const gibbon::test::Issued& own)
      : server_context_(SSL_CTX_new(TLS_server_method())), client_context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_use_certificate(server_context_, own.certificate.get());
    SSL_CTX_use_PrivateKey(server_context_, own.key.get());
    server_ = SSL_new(server_context_);
    client_ = SSL_new(client_context_);
    BIO *one = nullptr, *other = nullptr;
    BIO_new_bio_pair(&one, 0, &other, 0);
    SSL_set_bio(server_, one, one);
    SSL_set_bio(client_, other, other);
    SSL_set_accept_state(server_);
    SSL_set_connect_state(client_);
  }
  ~Handshake() {
    SSL_free(server_);
    SSL_free(client_);
    SSL_CTX_free(server_context_);
    SSL_CTX_free(client_context_);
    ERR_clear_error();
  }
  Handshake(const Handshake&) = delete;

  SSL* server() { return server_; }
  SSL* client() { return client_; }

  bool run() {
    for (int turn = 0; turn < 20; ++turn) {
      const int client = SSL_do_handshake(client_), server = SSL_do_handshake(server_);
      if (client == 1 && server == 1) return true;
      for (const auto& [ssl, result] : {std::pair(client_, client), std::pair(server_, server)})
        if (result != 1 && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ) return false;
    }
    return false;
  }

  /// The common name of the certificate that the client was shown.
  std::string seen_name() {
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(client_)), NID_commonName, name,
                              sizeof name);
    return name;
  }

 private:
  SSL_CTX *server_context_, *client_context_;
  SSL *server_ = nullptr, *client_ = nullptr;
};

}  // namespace gibbon::gateway::tls
