#include "gibbon/schema.hpp"

gibbon::Schema redact_fields_schema() {
  using namespace gibbon::fields;
  const std::vector<std::string> usual = {"x-session", "token"};
  return record({
      {"log_endpoint", string().required().url().description("Where entries go.")},
      {"names", set(string().len_min(1)).default_value(gibbon::Literal(usual))
          .description("Headers and query arguments whose values no entry shows.")},
      {"body_fields", set(string().len_min(1)).description("Fields of bodies that no entry shows.")},
  });
}
