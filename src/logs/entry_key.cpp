#include "logs/entry_key.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <chrono>
#include <cstdint>

namespace gibbon::logs {
namespace {

constexpr std::size_t kLongestText = 64;  ///< Longer ids go by their hash.

std::string sha256(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest), size};
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool uuid_bytes(std::string_view text, std::string* bytes) {
  if (text.size() != 36) return false;
  int high = -1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return false;
      continue;
    }
    const int value = digit(text[i]);
    if (value < 0) return false;
    if (high < 0) {
      high = value;
    } else {
      *bytes += static_cast<char>(high * 16 + value);
      high = -1;
    }
  }
  return true;
}

}  // namespace

std::string key_of_entry_id(std::string_view entry_id) {
  std::string key = "u";
  if (uuid_bytes(entry_id, &key)) return key;
  if (entry_id.size() > kLongestText) return "h" + sha256(entry_id);
  return "e" + std::string(entry_id);
}

std::string key_of_id(std::string_view id, std::string_view json) {
  return "i" + std::string(id.substr(0, kLongestText)) + " " + sha256(json).substr(0, 16);
}

std::string make_entry_id() {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const auto ms = static_cast<std::uint64_t>(now.count());
  std::uint64_t random[2] = {};
  RAND_bytes(reinterpret_cast<unsigned char*>(random), sizeof random);
  return fmt::format("{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}", (ms >> 16) & 0xffffffff, ms & 0xffff, random[0] & 0xfff,
                     0x8000 | ((random[0] >> 16) & 0x3fff), random[1] & 0xffffffffffff);
}

}  // namespace gibbon::logs
