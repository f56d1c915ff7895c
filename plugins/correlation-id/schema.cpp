#include "gibbon/fields.hpp"
#include "gibbon/typedefs.hpp"

using namespace gibbon::fields;

// clang-format off
gibbon::Schema correlation_id_schema() {
  return record({
      {"header_name", string().default_value("Kong-Request-ID").description("The header that holds the id.")},
      {"generator", string().required().default_value("uuid#counter").one_of({"uuid", "uuid#counter", "tracker"})
          .description("How an id is made where the request has none: a UUID for each, a UUID of the worker with a "
                       "number, or the connection's address with numbers and the time.")},
      {"echo_downstream", boolean().required().default_value(false)
          .description("Whether the answer to the client has the header too.")},
  })
      .in_entity({{"protocols", gibbon::typedefs::protocols_http()}});
}
// clang-format on
