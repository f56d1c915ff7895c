#include "base/uuid.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace gibbon {
namespace {

using Bytes = std::array<unsigned char, 16>;

std::string format(Bytes bytes, unsigned char version) {
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | (version << 4));
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : digit(text[i]) < 0) return false;
  }
  return true;
}

std::string uuid_v4() {
  Bytes bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  return format(bytes, 4);
}

std::string uuid_v5(std::string_view name_space, std::string_view name) {
  std::string input;
  for (std::size_t i = 0; i + 1 < name_space.size();) {
    if (name_space[i] == '-') {
      ++i;
      continue;
    }
    input += static_cast<char>(digit(name_space[i]) * 16 + digit(name_space[i + 1]));
    i += 2;
  }
  input += name;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(input.data(), input.size(), digest.data(), &size, EVP_sha1(), nullptr);
  Bytes bytes{};
  std::copy_n(digest.begin(), bytes.size(), bytes.begin());
  return format(bytes, 5);
}

}  // namespace gibbon
