#include "gibbon/schema.hpp"

gibbon::Schema log_errors_schema() {
  using namespace gibbon::fields;
  return record({
      {"log_endpoint", string().required().url().description("Where entries go.")},
      {"min_status", integer().between(100, 599).default_value(400).description("The lowest status that is logged.")},
      {"timeout", integer().between(0, 2147483646).default_value(10000)
          .description("Milliseconds that sending may take.")},
  });
}
