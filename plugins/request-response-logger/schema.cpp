#include "gibbon/schema.hpp"

/// The guide's six fields, of which Kong shows nothing but types and defaults (the rules hold all the same), and
/// headers for a log API that asks for a key.
gibbon::Schema request_response_logger_schema() {
  using namespace gibbon::fields;
  constexpr double kMax = 2147483646;  // As Kong's own timeouts.
  // clang-format off
  return record({
      {"log_endpoint", string().default_value("http://localhost:3000/logs").format("http_url").referenceable().unlisted()
          .description("The log API that entries are sent to; userinfo becomes Basic authorization.")},
      {"timeout", number().default_value(10000).between(0, kMax).unlisted()
          .description("Milliseconds that sending may take.")},
      {"keepalive", number().default_value(60000).between(0, kMax).unlisted()
          .description("Milliseconds that an idle connection to the log API is kept; 0: none is.")},
      {"log_request_body", boolean().default_value(true).unlisted()
          .description("Whether the bodies of requests are recorded.")},
      {"log_response_body", boolean().default_value(true).unlisted()
          .description("Whether the bodies of responses are recorded.")},
      {"max_body_size", number().default_value(1024).between(0, kMax).unlisted()
          .description("How many bytes of each body are recorded at most; 0: none.")},
      {"headers", map(string().format("header_name").match_none({{"^[Hh][Oo][Ss][Tt]$", "cannot contain 'Host' header"},
                          {"^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Ll][Ee][Nn][Gg][Tt][Hh]$", "cannot contain 'Content-Length' header"},
                          {"^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Tt][Yy][Pp][Ee]$", "cannot contain 'Content-Type' header"}}),
                      string().match_none({{"[%c]", "must not have control characters"}}).referenceable()).hidden_if_null()
          .description("Headers that the log API gets, a key for example.")},
  });
  // clang-format on
}
