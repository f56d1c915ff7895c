#include <charconv>

#include "schema/auto_fields.hpp"
#include "schema/field_rules.hpp"
#include "schema/records.hpp"
#include "schema/uri.hpp"

namespace gibbon::schema {
namespace {

json::value or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

/// A service's `url`: what it does not say becomes the default of its protocol, or null.
json::object expand_url(const json::value& value) {
  const Url url = parse_url(value.get_string());
  json::value port;
  if (url.port) {
    std::int64_t number = 0;
    const char* const end = url.port->data() + url.port->size();
    const auto result = std::from_chars(url.port->data(), end, number);
    port = result.ec == std::errc() && result.ptr == end ? json::value(number) : json::value(*url.port);
  }
  const std::string protocol = url.scheme ? *url.scheme : port == json::value(443) ? "https" : "http";
  if (port.is_null()) port = protocol == "https" ? 443 : 80;
  return {{"protocol", protocol}, {"host", or_null(url.host)}, {"port", port}, {"path", or_null(url.path)}};
}

json::object expand(const std::string& expansion, const json::value& value) {
  return expansion == "url" ? expand_url(value) : json::object();
}

}  // namespace

void expand_shorthands(const Field& record, json::object& input, Violations& violations) {
  for (const Shorthand& shorthand : record.shorthands) {
    const json::value* given = input.if_contains(shorthand.name);
    if (given == nullptr) continue;
    if (FieldError error = check_value(shorthand.value, *given, Operation::kInsert)) {
      violations.fields[shorthand.name] = std::move(*error);
      continue;
    }
    const json::value value = *given;
    input.erase(shorthand.name);
    if (value.is_null()) continue;
    for (auto& member : expand(shorthand.expansion, value)) input[member.key()] = member.value();
  }
}

}  // namespace gibbon::schema
