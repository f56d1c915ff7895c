#include "gibbon/entity.hpp"
#include "gibbon/fields.hpp"

using namespace gibbon::fields;

// clang-format off
gibbon::Schema acl_schema() {
  using Kind = gibbon::EntityCheck::Kind;
  return record({
      {"allow", array(string())
          .description("Groups whose consumers may use the route or service, and nobody else.")},
      {"deny", array(string())
          .description("Groups whose consumers may not use the route or service.")},
      {"hide_groups_header", boolean().required().default_value(false)
          .description("Whether the upstream gets no X-Consumer-Groups header.")},
      {"always_use_authenticated_groups", boolean().required().default_value(false)
          .description("Whether groups that an authority outside of the gateway names count before the consumer's "
                       "own. Otherwise they count where there is no consumer, or an anonymous one.")},
  })
      .check({.kind = Kind::kOnlyOneOf, .fields = {"allow", "deny"}})
      .check({.kind = Kind::kAtLeastOneOf, .fields = {"allow", "deny"}})
      .in_entity({{"consumer", no_consumer()}, {"protocols", http_protocols()}});
}

gibbon::Entity acl_groups() {
  return {.name = "acls",
          .schema = record({
              {"id", id()},
              {"created_at", created_at()},
              {"consumer", owner()},
              {"group", string().required().description("The group that the consumer belongs to.")},
              {"tags", tags()},
          }),
          .endpoint_key = "group",
          .cache_key = {"consumer", "group"},
          .description = "A group that a consumer belongs to, for the acl plugin."};
}
// clang-format on
