#include "gibbon/fields.hpp"
#include "gibbon/typedefs.hpp"

using namespace gibbon::fields;

// clang-format off
gibbon::Schema request_size_limiting_schema() {
  return record({
      {"allowed_payload_size", integer().default_value(128).description("The most that a body may have, in `size_unit`.")},
      {"size_unit", string().required().default_value("megabytes").one_of({"megabytes", "kilobytes", "bytes"})
          .description("The unit of `allowed_payload_size`: a kilobyte has 1024 bytes, a megabyte 1048576.")},
      {"require_content_length", boolean().required().default_value(false)
          .description("Whether a request without Content-Length is refused, unless its body comes in chunks.")},
  })
      .in_entity({{"protocols", gibbon::typedefs::protocols_http()}});
}
// clang-format on
