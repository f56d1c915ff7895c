#include "gibbon/schema.hpp"

/// The guide's six fields. Kong prints nothing but their types and defaults, so their rules are formats.
gibbon::Schema request_response_logger_schema() {
  using namespace gibbon::fields;
  return record({
      {"log_endpoint", string().default_value("http://localhost:3000/logs").format("http_url")},
      {"timeout", number().default_value(10000).format("milliseconds")},
      {"keepalive", number().default_value(60000).format("milliseconds")},
      {"log_request_body", boolean().default_value(true)},
      {"log_response_body", boolean().default_value(true)},
      {"max_body_size", number().default_value(1024).format("byte_count")},
  });
}
