#include "gibbon/schema.hpp"

/// The guide's six fields, of which Kong shows nothing but types and defaults (the rules hold all the same), and
/// headers for a log API that asks for a key.
gibbon::Schema request_response_logger_schema() {
  using namespace gibbon::fields;
  constexpr double kMax = 2147483646;  // As Kong's own timeouts.
  return record({
      {"log_endpoint", string().default_value("http://localhost:3000/logs").format("http_url").referenceable()},
      {"timeout", number().default_value(10000).between(0, kMax).unlisted()},
      {"keepalive", number().default_value(60000).between(0, kMax).unlisted()},
      {"log_request_body", boolean().default_value(true)},
      {"log_response_body", boolean().default_value(true)},
      {"max_body_size", number().default_value(1024).between(0, kMax).unlisted()},
      {"headers", map(string().format("header_name").match_none({{"^[Hh][Oo][Ss][Tt]$", "cannot contain 'Host' header"},
                          {"^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Ll][Ee][Nn][Gg][Tt][Hh]$", "cannot contain 'Content-Length' header"},
                          {"^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Tt][Yy][Pp][Ee]$", "cannot contain 'Content-Type' header"}}),
                      string().match_none({{"[%c]", "must not have control characters"}}).referenceable()).hidden_if_null()},
  });
}
