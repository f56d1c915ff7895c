#pragma once

#include <cstdint>
#include <optional>

#include "agent/store/collection.hpp"
#include "agent/store/error.hpp"
#include "base/json.hpp"

/// Entities that live for a while: Kong's `ttl`. An input says for how many seconds (0 or null: for ever),
/// the store keeps the time at which it runs out, and answers show how many seconds are left. A row whose
/// time has come is no longer shown; the next write takes it out of the store. Threads: any.
namespace gibbon::agent {

/// Kong's limit: a hundred million seconds.
inline constexpr std::int64_t kMaxTtl_s = 100'000'000;

/// Seconds since the epoch.
std::int64_t now_s();

/// Takes `ttl` out of an input, a form's text as a number; nothing where it has none or the collection knows
/// none.
std::optional<json::value> take_ttl(const Collection& collection, json::object& input);
/// What is wrong with an input's `ttl`: it is no whole number of seconds between 0 and kMaxTtl_s.
std::optional<StoreError> check_ttl(const Collection& collection, const json::object& input);
/// The time at which an input's `ttl` runs out; null: never.
json::value expiry(const std::optional<json::value>& ttl);

/// When a stored row runs out; nothing where it never does.
std::optional<std::int64_t> expires_at_s(const json::object& row);
bool is_expired(const json::object& row);
/// A stored row as answers show it.
json::object shown(const Collection& collection, const json::object& row);

}  // namespace gibbon::agent
