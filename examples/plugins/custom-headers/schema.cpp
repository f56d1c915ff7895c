#include "gibbon/schema.hpp"

gibbon::Schema custom_headers_schema() {
  using namespace gibbon::fields;
  return record({
      {"headers", map(string().format("header_name"), string()).required()
          .description("Headers that answers get, by their names.")},
      {"timestamp", string().format("header_name").description("A header that gets the time of the answer.")},
  });
}
