#include "gibbon/entity.hpp"
#include "gibbon/fields.hpp"

using namespace gibbon::fields;

// clang-format off
gibbon::Schema key_auth_schema() {
  const std::vector<std::string> names = {"apikey"};
  return record({
      {"key_names", array(string().format("header_name")).required().default_value(gibbon::Literal(names))
          .description("The names of headers, query arguments and fields of the body in which a key is looked for.")},
      {"hide_credentials", boolean().required().default_value(false)
          .description("Whether the key is taken out of the request before the upstream gets it.")},
      {"anonymous", string()
          .description("The id or username of the consumer that a request without a valid key belongs to. "
                       "Where it is null, such a request is refused.")},
      {"key_in_header", boolean().required().default_value(true)
          .description("Whether a key is looked for in the headers.")},
      {"key_in_query", boolean().required().default_value(true)
          .description("Whether a key is looked for in the query.")},
      {"key_in_body", boolean().required().default_value(false)
          .description("Whether a key is looked for in the body: forms (urlencoded, multipart) and JSON objects.")},
      {"run_on_preflight", boolean().required().default_value(true)
          .description("Whether OPTIONS requests are authenticated as well.")},
      {"realm", string().optional().description("The realm that WWW-Authenticate names when a request is refused.")},
  })
      .in_entity({{"consumer", no_consumer()}, {"protocols", http_protocols()}});
}

gibbon::Entity key_auth_credentials() {
  return {.name = "keyauth_credentials",
          .schema = record({
              {"id", id()},
              {"created_at", created_at()},
              {"consumer", owner()},
              {"key", string().unique().automatic().description("The key; a random one where none is given.")},
              {"tags", tags()},
          }),
          .endpoint_key = "key",
          .cache_key = {"key"},
          .path = "key-auths",
          .nested_path = "key-auth",
          .description = "A key that a consumer shows to the key-auth plugin.",
          .lifetime = gibbon::Entity::Lifetime::kTtl};
}
// clang-format on
