#include "gibbon/fields.hpp"
#include "gibbon/typedefs.hpp"

using namespace gibbon::fields;

// clang-format off
gibbon::Schema ip_restriction_schema() {
  const auto addresses = [] { return array(string().format("ip_or_cidr").description("An address or a CIDR range.")); };
  return record({
      {"allow", addresses().description("Addresses and CIDR ranges from which requests pass, and from no other.")},
      {"deny", addresses().description("Addresses and CIDR ranges from which requests are refused. They count before "
                                       "`allow`.")},
      {"status", number().optional().description("The status of a refusal; 403 where it is null.")},
      {"message", string().optional()
          .description("The message of a refusal. Where it is null, it names the address.")},
  })
      .in_entity({{"protocols", gibbon::typedefs::protocols({"http", "https", "tcp", "tls", "grpc", "grpcs"})}})
      .check({.kind = gibbon::EntityCheck::Kind::kAtLeastOneOf, .fields = {"allow", "deny"}});
}
// clang-format on
