#include "config/rows/rows.hpp"

namespace gibbon::config::rows {

using namespace gibbon::fields;

// clang-format off
Entity consumers() {
  Schema schema = record({
      {"id", id()},
      {"created_at", created_at()},
      {"updated_at", updated_at()},
      {"username", string().unique()
          .description("The consumer's name. A username or a custom_id must be given.")},
      {"custom_id", string().unique()
          .description("The consumer's id in another system. A username or a custom_id must be given.")},
      {"tags", tags()},
  })
      .check({.kind = EntityCheck::Kind::kAtLeastOneOf, .fields = {"custom_id", "username"}});
  return {.name = "consumers", .schema = std::move(schema), .endpoint_key = "username",
          .description = "Who sends requests: a user or a program."};
}
// clang-format on

}  // namespace gibbon::config::rows
