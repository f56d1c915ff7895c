#include "../common/pair.hpp"
#include "gibbon/typedefs.hpp"

using namespace gibbon::fields;
using gibbon::Field;

namespace {

Field list_of(Field element) {
  return array(std::move(element)).required().default_value(gibbon::Literal(std::vector<std::string>{}));
}
Field pair() { return string().match({"^[^:]+:.*$", {}}); }

/// Rules with values: of JSON with their types, and of headers.
Field valued(const std::string& what) {
  return record({
      {"json", list_of(pair()).description("Of JSON bodies: " + what)},
      {"json_types", list_of(string().one_of({"boolean", "number", "string"}))
          .description("The types of the values in json, in the same order; strings where none is given.")},
      {"headers", list_of(pair()).description("Of the headers: " + what)},
  }).required();
}

}  // namespace

// clang-format off
gibbon::Schema response_transformer_schema() {
  return record({
      {"remove", record({
          {"json", list_of(string()).description("The members of JSON bodies that go.")},
          {"headers", list_of(string()).description("The headers that go.")},
      }).required()},
      {"rename", record({
          {"json", list_of(pair()).description("The old name and the new one of a member, as old:new.")},
          {"headers", list_of(pair().validated_by(transformers::check_header_names))
              .description("The old name and the new one of a header, as old:new.")},
      }).required()},
      {"replace", valued("the name and the new value of what is there, as name:value.")},
      {"add", valued("the name and the value of what is not there, as name:value.")},
      {"append", valued("the name and one more value, as name:value.")},
  }).in_entity({{"protocols", gibbon::typedefs::protocols_http()}});
}
