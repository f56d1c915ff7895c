#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gibbon/schema.hpp"

/// Rows that many plugins share, with the rules that Kong's own plugins give them. Each may be refined:
///
///     record({{"http_endpoint", typedefs::url().required()}, {"queue", typedefs::queue()}})
///         .in_entity({{"protocols", typedefs::protocols_http()}, {"consumer", typedefs::no_consumer()}})
namespace gibbon::typedefs {

inline Field url() { return fields::string().url().description("A URL, such as https://example.com/path?q=search."); }
inline Field host() { return fields::string().format("host").description("A host name or an address."); }
inline Field port() { return fields::integer().between(0, 65535).description("A port from 0 to 65535."); }
inline Field timeout() {
  return fields::integer().between(0, 2147483646).description("A time in milliseconds, at most 2^31-2.");
}
inline Field path() {
  return fields::string().starts_with("/").match_none({{"//", "must not have empty segments"}}).format("path")
      .description("A path that starts with a slash and has no empty segments.");
}
inline Field header_name() { return fields::string().format("header_name").description("The name of a header."); }
inline Field http_method() {
  return fields::string().match({"^%u+$", {}}).description("An HTTP method in capital letters.");
}
inline Field sni() { return fields::string().format("sni").description("A server name of TLS."); }
/// Lua code by the names of the log's fields that it sets. Where no Lua runs, it is kept and shown alone.
inline Field lua_code() {
  return fields::map(fields::string().len_min(1), fields::string().len_min(1))
      .description("Lua code by the name of the field that it sets.");
}

namespace detail {
inline Field protocols(std::vector<Literal> known, std::vector<std::string> defaults) {
  return fields::set(fields::string().one_of(std::move(known)).description("A protocol, such as http or grpcs."))
      .required().default_value(Literal(std::move(defaults))).description("The protocols for which the plugin runs.");
}
}  // namespace detail

/// The plugin's entity: for which protocols it may run, and for which it does where nothing else is said.
inline Field protocols(std::vector<std::string> defaults = {"grpc", "grpcs", "http", "https"}) {
  return detail::protocols({"grpc", "grpcs", "http", "https", "tcp", "tls", "tls_passthrough", "udp"},
                           std::move(defaults));
}
/// The same, of a plugin that knows requests alone.
inline Field protocols_http() {
  return detail::protocols({"grpc", "grpcs", "http", "https"}, {"grpc", "grpcs", "http", "https"});
}
/// The plugin's entity: it cannot be set for a consumer, a route, a service.
inline Field no_consumer() {
  return fields::foreign("consumers").must_be_null().description("The plugin cannot be set for a consumer.");
}
inline Field no_route() {
  return fields::foreign("routes").must_be_null().description("The plugin cannot be set for a route.");
}
inline Field no_service() {
  return fields::foreign("services").must_be_null().description("The plugin cannot be set for a service.");
}

// clang-format off
/// How a plugin that sends entries gathers them and tries again.
inline Field queue() {
  using namespace fields;
  return record({
      {"max_batch_size", integer().between(1, 1000000).default_value(1).description("How many entries are sent at once.")},
      {"max_coalescing_delay", number().between(0, 3600).default_value(1)
          .description("Seconds after the first entry in which others may join it.")},
      {"max_entries", integer().between(1, 1000000).default_value(10000).description("How many entries may wait.")},
      {"max_bytes", integer().description("How many bytes may wait.")},
      {"max_retry_time", number().default_value(60).description("Seconds before a batch is given up.")},
      {"initial_retry_delay", number().between(0.001, 1000000).default_value(Literal(0.01))
          .description("Seconds before a batch is tried again for the first time.")},
      {"max_retry_delay", number().between(0.001, 1000000).default_value(60).description("The most seconds between tries.")},
      {"concurrency_limit", integer().default_value(1).one_of({-1, 1})
          .description("How many batches are sent at a time; -1: any number.")},
  }).required().description("How entries wait and are tried again.");
}

/// A Redis server.
inline Field redis() {
  using namespace fields;
  return record({
      {"host", host()},
      {"port", port().default_value(6379)},
      {"timeout", timeout().default_value(2000)},
      {"username", string().referenceable().description("The user; nobody in particular where it is not set.")},
      {"password", string().referenceable().encrypted().len_min(0).description("The user's password.")},
      {"database", integer().default_value(0).description("The number of the database.")},
      {"ssl", boolean().optional().default_value(false).description("Whether the connection uses TLS.")},
      {"ssl_verify", boolean().optional().default_value(false).description("Whether the server's certificate is verified.")},
      {"server_name", sni().optional()},
  }).required().description("The Redis server.");
}
// clang-format on

}  // namespace gibbon::typedefs
