#include "gibbon/schema.hpp"

/// The guide's six fields. Kong shows nothing but their types and defaults; the rules hold all the same.
gibbon::Schema request_response_logger_schema() {
  using namespace gibbon::fields;
  constexpr double kMax = 2147483646;  // As Kong's own timeouts.
  return record({
      {"log_endpoint", string().default_value("http://localhost:3000/logs").format("http_url")},
      {"timeout", number().default_value(10000).between(0, kMax).unlisted()},
      {"keepalive", number().default_value(60000).between(0, kMax).unlisted()},
      {"log_request_body", boolean().default_value(true)},
      {"log_response_body", boolean().default_value(true)},
      {"max_body_size", number().default_value(1024).between(0, kMax).unlisted()},
  });
}
