#pragma once

#include "gibbon/schema.hpp"

/// Configurations of plugins that the recorded cases are about.
namespace gibbon::test {

// clang-format off

inline Schema request_response_logger() {
  using namespace gibbon::fields;
  return record({
      {"log_endpoint", string().default_value("http://localhost:3000/logs").url()},
      {"timeout", number().default_value(10000)},
      {"keepalive", number().default_value(60000)},
      {"log_request_body", boolean().default_value(true)},
      {"log_response_body", boolean().default_value(true)},
      {"max_body_size", number().default_value(1024)},
  });
}

inline Schema correlation_id() {
  using namespace gibbon::fields;
  return record({
      {"header_name", string().default_value("Kong-Request-ID")},
      {"generator", string().required().default_value("uuid#counter").one_of({"uuid", "uuid#counter", "tracker"})},
      {"echo_downstream", boolean().required().default_value(false)},
  });
}

inline Field queue() {
  using namespace gibbon::fields;
  return record({
      {"max_batch_size", integer().default_value(1).between(1, 1000000)},
      {"max_coalescing_delay", number().default_value(1).between(0, 3600)},
      {"max_entries", integer().default_value(10000).between(1, 1000000)},
      {"max_bytes", integer()},
      {"max_retry_time", number().default_value(60)},
      {"initial_retry_delay", number().default_value(Literal(0.01)).between(0.001, 1000000)},
      {"max_retry_delay", number().default_value(60).between(0.001, 1000000)},
      {"concurrency_limit", integer().default_value(1).one_of({-1, 1})},
  });
}

inline Schema http_log() {
  using namespace gibbon::fields;
  return record({
      {"http_endpoint", string().required().encrypted().referenceable().url()},
      {"method", string().default_value("POST").one_of({"POST", "PUT", "PATCH"})},
      {"content_type", string().default_value("application/json")
          .one_of({"application/json", "application/json; charset=utf-8"})},
      {"timeout", number().default_value(10000)},
      {"keepalive", number().default_value(60000)},
      {"retry_count", integer()},
      {"queue_size", integer()},
      {"flush_timeout", number()},
      {"headers", map(string(), string())},
      {"queue", queue().required()},
      {"custom_fields_by_lua", map(string(), string())},
  });
}

inline Schema rate_limiting() {
  using namespace gibbon::fields;
  return record({
      {"second", number().greater_than(0)}, {"minute", number().greater_than(0)}, {"hour", number().greater_than(0)},
      {"day", number().greater_than(0)}, {"month", number().greater_than(0)}, {"year", number().greater_than(0)},
      {"limit_by", string().default_value("consumer").one_of({"consumer", "ip", "header"})},
      {"header_name", string()},
  })
      .check({.kind = EntityCheck::Kind::kAtLeastOneOf, .fields = {"second", "minute", "hour", "day", "month", "year"}})
      .check({.kind = EntityCheck::Kind::kConditional,
              .if_field = "limit_by",
              .then_field = "header_name",
              .if_match = {rules().equal(std::string("header"))},
              .then_match = {rules().required()}});
}

}  // namespace gibbon::test
