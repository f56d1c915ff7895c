#include "agent/admin/guard.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "config/settings_text.hpp"

namespace gibbon::agent {
namespace {

/// The whole file but the space around it.
Result<std::string> read_token(const std::string& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf()))
    return Error{"admin_token_file: cannot read " + path +
                     (errno != 0 ? std::string(": ") + std::strerror(errno) : ""),
                 "admin_token_file"};
  std::string token(settings::trim(text.str()));
  if (token.empty() || !settings::is_token(token))
    return Error{"admin_token_file: " + path + " must hold one token of visible ASCII characters",
                 "admin_token_file"};
  return token;
}

void digest(std::string_view text, unsigned char* out) {
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), out);
}

}  // namespace

Result<std::shared_ptr<const Guard>> Guard::load(const Settings& settings) {
  auto guard = std::make_shared<Guard>();
  std::string token = settings.admin_token;
  if (!settings.admin_token_file.empty()) {
    auto read = read_token(settings.admin_token_file);
    if (!read) return read.error();
    token = std::move(read).value();
  }
  guard->wants_token_ = !token.empty();
  digest(token, guard->token_.data());
  OPENSSL_cleanse(token.data(), token.size());
  return std::shared_ptr<const Guard>(std::move(guard));
}

bool Guard::admits(const http::Request& request) const {
  if (!wants_token_ || request.method == "OPTIONS") return true;
  Digest given{};
  digest(request.header(kHeader), given.data());
  return CRYPTO_memcmp(given.data(), token_.data(), given.size()) == 0;
}

}  // namespace gibbon::agent
