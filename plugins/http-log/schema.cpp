#include "gibbon/custom_fields.hpp"
#include "gibbon/typedefs.hpp"

using namespace gibbon::fields;
using namespace gibbon::typedefs;

namespace {

gibbon::Deprecation gone(std::string message, std::int64_t old_default) {
  return {std::move(message), "4.0", gibbon::Literal(old_default)};
}

}  // namespace

// clang-format off
gibbon::Schema http_log_schema() {
  return record({
      {"http_endpoint", url().required().encrypted().referenceable()
          .description("The log API that entries are sent to; userinfo becomes Basic authorization.")},
      {"method", string().default_value("POST").one_of({"POST", "PUT", "PATCH"})
          .description("The method of the requests that carry entries.")},
      {"content_type", string().default_value("application/json")
          .one_of({"application/json", "application/json; charset=utf-8"})
          .description("The Content-Type of these requests.")},
      {"timeout", number().default_value(10000).description("Milliseconds that sending may take.")},
      {"keepalive", number().default_value(60000)
          .description("Milliseconds that an idle connection is kept.")},
      {"retry_count", integer().deprecated(gone(
          "http-log: config.retry_count no longer works, please use config.queue.max_retry_time instead", 10))
          .description("Has no effect: queue.max_retry_time takes its place.")},
      {"queue_size", integer().deprecated(gone(
          "http-log: config.queue_size is deprecated, please use config.queue.max_batch_size instead", 1))
          .description("The former name of queue.max_batch_size.")},
      {"flush_timeout", number().deprecated(gone(
          "http-log: config.flush_timeout is deprecated, please use config.queue.max_coalescing_delay instead", 2))
          .description("The former name of queue.max_coalescing_delay.")},
      {"headers", map(header_name().match_none({
                          {"^[Hh][Oo][Ss][Tt]$", "cannot contain 'Host' header"},
                          {"^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Ll][Ee][nn][Gg][Tt][Hh]$",
                           "cannot contain 'Content-Length' header"},
                          {"^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Tt][Yy][Pp][Ee]$", "cannot contain 'Content-Type' header"}}),
                      string().referenceable())
          .description("Headers that the log API gets.")},
      {"queue", queue()},
      {"custom_fields_by_lua", custom_fields_by_lua()},
  })
      .own_check({.kind = gibbon::EntityCheck::Kind::kCustom, .fields = {"http_endpoint", "headers"},
                  .custom_name = "one_authorization"})
      .in_entity({{"protocols", protocols()}});
}
// clang-format on
