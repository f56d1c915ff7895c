#include "gibbon/typedefs.hpp"

using namespace gibbon::fields;
using namespace gibbon::typedefs;

namespace {

using Kind = gibbon::EntityCheck::Kind;

/// Where `field` is `value`, `other` must be set.
gibbon::EntityCheck wants(std::string field, std::string value, std::string other) {
  return {.kind = Kind::kConditional,
          .if_field = std::move(field),
          .then_field = std::move(other),
          .if_match = {rules().equal(std::move(value))},
          .then_match = {rules().required()}};
}

/// The former name of a field of `redis`.
void former(gibbon::Schema& config, const std::string& name, gibbon::Field value) {
  const std::string message = "rate-limiting: config.redis_" + name + " is deprecated, please use config.redis." + name +
                              " instead";
  config.renamed("redis_" + name, value.deprecated({message, "4.0"}), "redis." + name);
}

gibbon::Field limit(const char* period) {
  return number().greater_than(0).description(std::string("How many requests may be made in a ") + period + ".");
}

}  // namespace

// clang-format off
gibbon::Schema rate_limiting_schema() {
  gibbon::Schema config = record({
      {"second", limit("second")},
      {"minute", limit("minute")},
      {"hour", limit("hour")},
      {"day", limit("day")},
      {"month", limit("month")},
      {"year", limit("year")},
      {"limit_by", string().default_value("consumer")
          .one_of({"consumer", "credential", "ip", "service", "header", "path"})
          .description("Whose requests are counted together. Where a request has no such thing, its client's address "
                       "counts.")},
      {"header_name", header_name()},
      {"path", path()},
      {"policy", string().default_value("local").len_min(0).one_of({"local", "cluster", "redis"})
          .description("Where requests are counted: in this node's memory (local, cluster), or in Redis.")},
      {"fault_tolerant", boolean().required().default_value(true)
          .description("Whether requests pass that cannot be counted. Otherwise they are answered with 500.")},
      {"redis", redis()},
      {"hide_client_headers", boolean().required().default_value(false)
          .description("Whether answers are without the headers that tell of limits.")},
      {"error_code", number().default_value(429).greater_than(0).description("The status of refused requests.")},
      {"error_message", string().default_value("API rate limit exceeded")
          .description("The message of refused requests.")},
      {"sync_rate", number().required().default_value(-1)
          .description("Redis: after how many seconds each worker's counts are brought there; -1: with each request.")},
  }).format("rate_limits");
  former(config, "host", string());
  former(config, "port", integer());
  former(config, "password", string().len_min(0));
  former(config, "username", string());
  former(config, "ssl", boolean());
  former(config, "ssl_verify", boolean());
  former(config, "server_name", string());
  former(config, "timeout", integer());
  former(config, "database", integer());
  return config.in_entity({{"protocols", protocols_http()}})
      .check({.kind = Kind::kAtLeastOneOf, .fields = {"second", "minute", "hour", "day", "month", "year"}})
      .check(wants("policy", "redis", "redis.host"))
      .check(wants("policy", "redis", "redis.port"))
      .check(wants("policy", "redis", "redis.timeout"))
      .check(wants("limit_by", "header", "header_name"))
      .check(wants("limit_by", "path", "path"));
}
// clang-format on
