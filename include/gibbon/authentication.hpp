#pragma once

#include <string>
#include <string_view>

#include "gibbon/exchange.hpp"

/// What authentication plugins have in common, as in Kong: several of them on one route, and anonymous
/// consumers.
namespace gibbon {

/// Why a request could not be authenticated: Kong's message. Empty: it was.
using Refusal = std::string_view;

/// Runs `authenticate() -> Refusal`.
///
/// Without an `anonymous` consumer (its id or username; empty: none) every plugin must succeed: a refusal is
/// answered with 401 and WWW-Authenticate (`challenge`). With one, it is enough that one plugin succeeds: a
/// plugin that runs after such a one does nothing, and a request that none could authenticate is the
/// anonymous consumer's. Phase: access.
template <typename Authenticate>
void run_authentication(Exchange& exchange, const std::string& anonymous, const std::string& challenge,
                        Authenticate authenticate) {
  if (!anonymous.empty() && exchange.client().credential() != nullptr) return;
  const Refusal refusal = authenticate();
  if (refusal.empty()) return;
  if (anonymous.empty()) {
    exchange.response().set_header("WWW-Authenticate", challenge);
    exchange.error(401, refusal);
  } else if (const Consumer* consumer = exchange.entities().find_consumer(anonymous)) {
    exchange.client().authenticate(consumer, nullptr);
  } else {
    const std::string message = "anonymous consumer " + anonymous + " is configured but doesn't exist";
    exchange.log().err(message);
    exchange.error(500, message);
  }
}

}  // namespace gibbon
