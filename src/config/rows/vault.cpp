#include "config/rows/rows.hpp"

namespace gibbon::config::rows {

using namespace gibbon::fields;

// clang-format off
Entity vaults() {
  Field env = record({
      {"prefix", string().match({"^[%a_-][%a%d_-]*$", ""})
          .description("What is put before a secret's name to get the environment variable's.")},
  });
  Schema schema = record({
      {"id", id()},
      {"prefix", string().required().unique_across_workspaces().match({"^[a-z][a-z%d-]-[a-z%d]+$", ""}).not_one_of({"env"})
          .description("What references call the vault: {vault://prefix/name}.")},
      {"name", string().required().description("The kind of vault: env.")},
      {"description", string().description("What the vault is for.")},
      {"config", record({}).abstract().description("The vault's own configuration.")},
      {"created_at", created_at()},
      {"updated_at", updated_at()},
      {"tags", tags()},
  })
      .subschemas_by("name", {{.keys = {"env"}, .fields = {{"config", env}}, .checks = {}}},
                     "vault '%s' is not installed");
  return {.name = "vaults",
          .schema = std::move(schema),
          .endpoint_key = "prefix",
          .cache_key = {"prefix"},
          .description = "Where references to secrets lead to."};
}
// clang-format on

}  // namespace gibbon::config::rows
