#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "config/settings.hpp"
#include "http/message.hpp"

namespace gibbon::agent {

/// Whom the Admin API lets in: with a token, those that send it in the header `Kong-Admin-Token`; without
/// one, everybody who reaches it. A CORS preflight, which cannot hold it and changes nothing, always passes.
/// Immutable; threads: any. It keeps the token's digest alone.
class Guard {
 public:
  static constexpr std::string_view kHeader = "Kong-Admin-Token";

  /// Reads the token's file, where the settings name one. Errors: it cannot be read, or holds no token. They
  /// never hold what it holds.
  static Result<std::shared_ptr<const Guard>> load(const Settings& settings);

  [[nodiscard]] bool wants_token() const { return wants_token_; }
  /// Takes the same time for any wrong token.
  [[nodiscard]] bool admits(const http::Request& request) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  bool wants_token_ = false;
  Digest token_{};
};

}  // namespace gibbon::agent
