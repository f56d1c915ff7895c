#include "gibbon/custom_fields.hpp"
#include "gibbon/typedefs.hpp"

using namespace gibbon::fields;
using namespace gibbon::typedefs;

// clang-format off
gibbon::Schema file_log_schema() {
  return record({
      {"path", string().required().match({R"(^[^%s*&%%\`][^*&%%\`]*[^%s*&%%\`]$)", {}}).error("not a valid filename")
          .description("The file that entries are appended to; it is made where it is missing.")},
      {"reopen", boolean().required().default_value(false)
          .description("Whether the file is opened anew for each write.")},
      {"custom_fields_by_lua", custom_fields_by_lua()},
  }).in_entity({{"protocols", protocols()}});
}
// clang-format on
