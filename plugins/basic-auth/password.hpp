#pragma once

#include <openssl/evp.h>

#include <string>
#include <string_view>

namespace basic_auth {

/// What Kong stores of a password: the SHA-1 of the password followed by its consumer's id, in hexadecimal
/// digits.
inline std::string hash_password(std::string_view password, std::string_view consumer_id) {
  std::string salted(password);
  salted.append(consumer_id);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(salted.data(), salted.size(), digest, &size, EVP_sha1(), nullptr);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += "0123456789abcdef"[digest[i] >> 4];
    text += "0123456789abcdef"[digest[i] & 15];
  }
  return text;
}

}  // namespace basic_auth
