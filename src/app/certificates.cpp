#include "app/certificates.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace gibbon::app {

namespace {

enum class KeyKind { kRsa, kEcdsa };

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

constexpr long kDay_s = 24 * 3600;

bool add_extension(X509* certificate, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, id, value), X509_EXTENSION_free);
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// A self-signed certificate for localhost, good for twenty years, as Kong's.
Certificate self_signed(EVP_PKEY* key) {
  Certificate certificate(X509_new(), X509_free);
  unsigned char serial[16];
  if (!certificate || RAND_bytes(serial, sizeof serial) != 1) return {nullptr, X509_free};
  serial[0] &= 0x7f;
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(BN_bin2bn(serial, sizeof serial, nullptr),
                                                           BN_free);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const auto add_name = [&](const char* field, const char* value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC,
                                      reinterpret_cast<const unsigned char*>(value), -1, -1, 0) == 1;
  };
  const bool made =
      X509_set_version(certificate.get(), 2) == 1 &&
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get())) != nullptr &&
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDay_s) != nullptr &&
      X509_time_adj_ex(X509_getm_notAfter(certificate.get()), 20 * 365, 0, nullptr) != nullptr &&
      add_name("O", "Gibbon") && add_name("CN", "localhost") &&
      X509_set_issuer_name(certificate.get(), name) == 1 && X509_set_pubkey(certificate.get(), key) == 1 &&
      add_extension(certificate.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
      add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      X509_sign(certificate.get(), key, EVP_sha256()) > 0;
  return made ? std::move(certificate) : Certificate(nullptr, X509_free);
}

/// Writes `content` to a file that appears at once.
template <typename Write>
bool write_pem(const std::string& path, mode_t mode, const Write& content) {
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return false;
  FILE* stream = ::fdopen(fd, "w");
  const bool written = content(stream) == 1;
  return std::fclose(stream) == 0 && written && ::rename(draft.c_str(), path.c_str()) == 0;
}

Status make(const CertificatePair& pair, KeyKind kind) {
  if (::access(pair.certificate.c_str(), R_OK) == 0 && ::access(pair.key.c_str(), R_OK) == 0) return {};
  const Key key(kind == KeyKind::kRsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Certificate certificate = key ? self_signed(key.get()) : Certificate(nullptr, X509_free);
  if (!certificate) {
    char reason[256];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    return Error{std::string("could not make a self-signed certificate: ") + reason, ""};
  }
  errno = 0;
  const bool written =
      write_pem(pair.key, 0600,
                [&](FILE* stream) {
                  return PEM_write_PrivateKey(stream, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
                }) &&
      write_pem(pair.certificate, 0644,
                [&](FILE* stream) { return PEM_write_X509(stream, certificate.get()); });
  if (!written) return Error{pair.certificate + ": " + std::strerror(errno), ""};
  return {};
}

bool any_tls(const std::vector<Listener>& listeners) {
  return std::ranges::any_of(listeners, &Listener::ssl);
}

CertificatePair named(const Paths& paths, const std::string& name) {
  return {paths.ssl + "/" + name + ".crt", paths.ssl + "/" + name + ".key"};
}

}  // namespace

std::vector<CertificatePair> proxy_certificates(const Settings& settings, const Paths& paths) {
  std::vector<CertificatePair> pairs;
  for (std::size_t i = 0; i < settings.ssl_cert.size(); ++i) {
    pairs.push_back({settings.ssl_cert[i], settings.ssl_cert_key[i]});
  }
  if (pairs.empty()) pairs = {named(paths, "kong-default"), named(paths, "kong-default-ecdsa")};
  return pairs;
}

CertificatePair default_certificate(const Paths& paths, const std::string& role) {
  return named(paths, role + "-kong-default");
}

CertificatePair client_certificate(const Settings& settings, const Paths& paths) {
  if (!settings.client_ssl_cert.empty()) return {settings.client_ssl_cert, settings.client_ssl_cert_key};
  return named(paths, "kong-default");
}

Status make_certificates(const Settings& settings, const Paths& paths) {
  if (any_tls(settings.proxy_listen) && settings.ssl_cert.empty()) {
    const auto pairs = proxy_certificates(settings, paths);
    if (Status status = make(pairs[0], KeyKind::kRsa); !status) return status;
    if (Status status = make(pairs[1], KeyKind::kEcdsa); !status) return status;
  }
  if (settings.client_ssl && settings.client_ssl_cert.empty()) {
    if (Status status = make(client_certificate(settings, paths), KeyKind::kRsa); !status) return status;
  }
  if (any_tls(settings.admin_listen) && settings.admin_ssl_cert.empty()) {
    if (Status status = make(default_certificate(paths, "admin"), KeyKind::kRsa); !status) return status;
  }
  if (any_tls(settings.status_listen) && settings.status_ssl_cert.empty()) {
    return make(default_certificate(paths, "status"), KeyKind::kRsa);
  }
  return {};
}

}  // namespace gibbon::app
