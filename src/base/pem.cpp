#include "base/pem.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <climits>
#include <cstdint>

namespace gibbon {
namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;

BioPtr open_text(std::string_view text) {
  return BioPtr(text.size() > INT_MAX ? nullptr
                                      : BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// OpenSSL would ask at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

/// The last error that OpenSSL noted, as lua-resty-openssl prints it; the queue is empty afterwards.
Error openssl_error(std::string_view where) {
  const char *file = "", *function = "";
  int line = 0;
  const unsigned long code = ERR_peek_last_error_all(&file, &line, &function, nullptr, nullptr);
  if (code == 0) return {fmt::format("{} failed", where), {}};
  std::string_view path = file;
  if (const auto root = path.find("crypto/"); root != std::string_view::npos) path.remove_prefix(root + 7);
  const char *library = ERR_lib_error_string(code), *reason = ERR_reason_error_string(code);
  Error error{fmt::format("{}: error:{:X}:{}:{}:{}:{}:{}:", where, code, library != nullptr ? library : "",
                          function, reason != nullptr ? reason : "", path, line),
              {}};
  ERR_clear_error();  // Only now: what was read above lies in the queue.
  return error;
}

/// Whether reading stopped because there is nothing more, not because something is wrong.
bool at_end() {
  const unsigned long code = ERR_peek_last_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

std::string hexadecimal(const unsigned char* bytes, unsigned size) {
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

}  // namespace

Result<CertificatePtr> read_certificate(std::string_view text) {
  ERR_clear_error();
  const BioPtr bio = open_text(text);
  if (!bio) return openssl_error("x509.new");
  CertificatePtr certificate(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
  if (!certificate && BIO_reset(bio.get()) == 1) certificate.reset(d2i_X509_bio(bio.get(), nullptr));
  if (!certificate) return openssl_error("x509.new");
  ERR_clear_error();
  return certificate;
}

Result<std::vector<CertificatePtr>> read_certificates(std::string_view text) {
  ERR_clear_error();
  std::vector<CertificatePtr> all;
  const BioPtr bio = open_text(text);
  if (!bio) return openssl_error("x509.new");
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) all.emplace_back(next);
  const bool complete = at_end();
  if (!all.empty() && !complete) return openssl_error("x509.new");
  ERR_clear_error();
  if (!all.empty()) return all;
  auto only = read_certificate(text);
  if (!only) return only.error();
  all.push_back(std::move(only).value());
  return all;
}

Result<KeyPtr> read_private_key(std::string_view text) {
  ERR_clear_error();
  const BioPtr bio = open_text(text);
  if (!bio) return openssl_error("pkey.new:load_key");
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) {
    Error why = openssl_error("pkey.new:load_key");
    if (BIO_reset(bio.get()) == 1) key.reset(d2i_PrivateKey_bio(bio.get(), nullptr));
    ERR_clear_error();
    if (!key) return why;
  }
  ERR_clear_error();
  return key;
}

bool belongs_together(const X509* certificate, const EVP_PKEY* key) {
  const EVP_PKEY* public_half = X509_get0_pubkey(certificate);
  const bool same = public_half != nullptr && EVP_PKEY_eq(public_half, key) == 1;
  ERR_clear_error();
  return same;
}

std::string certificate_digest(const X509* certificate) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  return X509_digest(certificate, EVP_sha256(), bytes, &size) == 1 ? hexadecimal(bytes, size) : std::string();
}

std::string content_digest(std::initializer_list<std::string_view> texts) {
  struct ContextFree {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, ContextFree> context(EVP_MD_CTX_new());
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  bool done = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  for (const std::string_view text : texts) {
    const std::uint64_t length = text.size();
    done = done && EVP_DigestUpdate(context.get(), &length, sizeof length) == 1 &&
           EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1;
  }
  if (!done || EVP_DigestFinal_ex(context.get(), bytes, &size) != 1) throw std::bad_alloc();
  return {reinterpret_cast<char*>(bytes), size};
}

}  // namespace gibbon
