#include "agent/store/ttl.hpp"

#include <charconv>
#include <chrono>
#include <cmath>

namespace gibbon::agent {
namespace {

/// A whole number of seconds; nothing where it is something else.
std::optional<std::int64_t> whole(const json::value& value) {
  if (const auto* integer = value.if_int64()) return *integer;
  double number = 0;
  if (const auto* text = value.if_string()) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  } else if (const auto* floating = value.if_double()) {
    number = *floating;
  } else {
    return std::nullopt;
  }
  if (!std::isfinite(number) || number != std::floor(number) || std::abs(number) > 1e15) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

}  // namespace

std::int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::optional<json::value> take_ttl(const Collection& collection, json::object& input) {
  if (!collection.has_ttl()) return std::nullopt;
  const auto* found = input.if_contains("ttl");
  if (found == nullptr) return std::nullopt;
  const auto seconds = whole(*found);
  input.erase("ttl");
  return seconds ? json::value(*seconds) : json::value(nullptr);
}

std::optional<StoreError> check_ttl(const Collection& collection, const json::object& input) {
  const auto* found = collection.has_ttl() ? input.if_contains("ttl") : nullptr;
  if (found == nullptr || found->is_null()) return std::nullopt;
  const auto seconds = whole(*found);
  if (seconds && *seconds >= 0 && *seconds <= kMaxTtl_s) return std::nullopt;
  return invalid_option("ttl", "must be an integer between 0 and " + std::to_string(kMaxTtl_s));
}

json::value expiry(const std::optional<json::value>& ttl) {
  const auto seconds = ttl ? whole(*ttl) : std::nullopt;
  return seconds.value_or(0) == 0 ? json::value(nullptr) : json::value(now_s() + *seconds);
}

std::optional<std::int64_t> expires_at_s(const json::object& row) {
  const auto* ttl = row.if_contains("ttl");
  return ttl == nullptr ? std::nullopt : whole(*ttl);
}

bool is_expired(const json::object& row) {
  const auto at = expires_at_s(row);
  return at && *at <= now_s();
}

json::object shown(const Collection& collection, const json::object& row) {
  json::object copy = row;
  if (!collection.has_ttl()) return copy;
  const auto at = expires_at_s(row);
  copy["ttl"] = at ? json::value(*at - now_s()) : json::value(nullptr);
  return copy;
}

}  // namespace gibbon::agent
