#include "gibbon/entity.hpp"
#include "gibbon/fields.hpp"
#include "password.hpp"

using namespace gibbon::fields;

// clang-format off
gibbon::Schema basic_auth_schema() {
  return record({
      {"anonymous", string()
          .description("The id or username of the consumer that a request without valid credentials belongs to. "
                       "Where it is null, such a request is refused.")},
      {"hide_credentials", boolean().required().default_value(false)
          .description("Whether the header with the credentials is taken out before the upstream gets the request.")},
      {"realm", string().required().default_value("service")
          .description("The realm that WWW-Authenticate names when a request is refused.")},
  })
      .in_entity({{"consumer", no_consumer()}, {"protocols", http_protocols()}});
}

gibbon::Entity basic_auth_credentials() {
  return {.name = "basicauth_credentials",
          .schema = record({
              {"id", id()},
              {"created_at", created_at()},
              {"consumer", owner()},
              {"username", string().required().unique().description("The name that a client signs in with.")},
              {"password", string().required().encrypted()
                  .description("The password; what is stored and shown is its hash.")},
              {"tags", tags()},
          }),
          .endpoint_key = "username",
          .cache_key = {"username"},
          .path = "basic-auths",
          .nested_path = "basic-auth",
          .description = "A username and a password that a consumer shows to the basic-auth plugin.",
          .transformations = {{.field = "password",
                               .needs = {"consumer.id"},
                               .on_write = [](std::string_view password, std::span<const std::string_view> consumer) {
                                 return basic_auth::hash_password(password, consumer[0]);
                               }}}};
}
// clang-format on
