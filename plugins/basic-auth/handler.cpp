#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <optional>
#include <string>
#include <vector>

#include "gibbon/authentication.hpp"
#include "gibbon/plugin.hpp"
#include "password.hpp"

gibbon::Schema basic_auth_schema();
gibbon::Entity basic_auth_credentials();

namespace {

using namespace gibbon;

struct Config {
  explicit Config(const ConfigView& view)
      : anonymous(view.string("anonymous")),
        challenge("Basic realm=\"" + view.string("realm", "service") + "\""),
        hide_credentials(view.boolean("hide_credentials")) {}

  std::string anonymous, challenge;
  bool hide_credentials;
};

struct Login {
  std::string username, password;
};

std::optional<std::string> decode_base64(std::string_view text) {
  std::string padded(text);
  while (!padded.empty() && padded.back() == ' ') padded.pop_back();
  const std::size_t end = padded.find_last_not_of('=') + 1, padding = padded.size() - end;
  if (padding > 2 || padded.size() % 4 == 1) return std::nullopt;
  padded.resize(end);
  if (padded.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") !=
      std::string::npos)
    return std::nullopt;
  const std::size_t missing = (4 - padded.size() % 4) % 4;
  padded.append(missing, '=');
  std::string bytes(padded.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(padded.data()), static_cast<int>(padded.size()));
  if (size < 0 || missing > 2) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) - missing);
  return bytes;
}

/// "Basic" in either case of its first letter, and `username:password` in base64. The username is not empty.
std::optional<Login> parse_login(std::string_view header) {
  std::size_t at = header.find("asic");
  if (at == 0 || at == std::string_view::npos || (header[at - 1] != 'B' && header[at - 1] != 'b'))
    return std::nullopt;
  at = header.find_first_not_of(" \t", at + 4);
  if (at == std::string_view::npos) return std::nullopt;
  const auto decoded = decode_base64(header.substr(at));
  const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  return Login{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

bool fits(const EntityView& credential, const Login& login) {
  const std::string hash = basic_auth::hash_password(login.password, credential.field("consumer"));
  const std::string_view stored = credential.field("password");
  return hash.size() == stored.size() && CRYPTO_memcmp(hash.data(), stored.data(), hash.size()) == 0;
}

/// The login in a header, which is taken away from the upstream where credentials are hidden.
std::optional<Login> take_login(Exchange& exchange, const Config& config, std::string_view header) {
  auto login = parse_login(exchange.request().header(header));
  if (config.hide_credentials) exchange.service_request().clear_header(header);
  return login;
}

/// A proxy's login goes first; where it names nobody, the other one counts.
Refusal authenticate(Exchange& exchange, const Config& config) {
  constexpr Refusal kUnauthorized = "Unauthorized";
  const EntityView* credential = nullptr;
  auto login = take_login(exchange, config, "proxy-authorization");
  if (login) credential = exchange.entities().find("basicauth_credentials", login->username);
  if (credential == nullptr) {
    login = take_login(exchange, config, "authorization");
    if (login) credential = exchange.entities().find("basicauth_credentials", login->username);
  }
  if (credential == nullptr || !fits(*credential, *login)) return kUnauthorized;
  exchange.client().authenticate(credential->consumer, credential, credential->field("username"));
  return {};
}

struct Handler {
  static constexpr int PRIORITY = 1100;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;

  static void access(Exchange& exchange, const Config& config) {
    run_authentication(exchange, config.anonymous, config.challenge,
                       [&] { return authenticate(exchange, config); });
  }

  static std::vector<Entity> entities() { return {basic_auth_credentials()}; }
};

}  // namespace

GIBBON_PLUGIN("basic-auth", Handler, Config, basic_auth_schema)
