#include "../common/pair.hpp"
#include "gibbon/typedefs.hpp"
#include "transform.hpp"

using namespace gibbon::fields;
using gibbon::Field;

namespace {

namespace check = transformers;

/// "name:value" of a header: its name must be one, and its value a template.
std::optional<std::string> check_header_value(std::string_view text) {
  if (std::optional<std::string> wrong = check::check_header(text)) return wrong;
  return check::check_template(check::split_pair(text)->value);
}

Field list_of(Field element) {
  return array(std::move(element)).required().default_value(gibbon::Literal(std::vector<std::string>{}));
}
Field header_pairs(gibbon::TextCheck check) {
  return list_of(string().match({"^[^:]+:.*$", {}}).validated_by(check));
}
Field values() { return list_of(string().validated_by(check::check_value)); }

/// The three parts of a request that rules apply to.
Field parts(Field headers, Field (*others)(), const std::string& what) {
  return record({
      {"body", others().description("Of the body's fields: " + what)},
      {"headers", std::move(headers).description("Of the headers: " + what)},
      {"querystring", others().description("Of the query's arguments: " + what)},
  }).required();
}

}  // namespace

gibbon::Schema request_transformer_schema() {
  const auto names = [] { return list_of(string()); };
  const std::string pairs = "the name and the value, as name:value; the value may hold templates, $(...).";
  Field replace = parts(header_pairs(check_header_value), values, pairs);
  replace.fields.push_back({"uri", string().validated_by(check::check_template)
                                       .description("The path that the upstream is asked for; may hold templates.")});
  return record({
      {"http_method", gibbon::typedefs::http_method()},
      {"remove", parts(list_of(string().validated_by(check::check_header)), names, "the names that go.")},
      {"rename", parts(header_pairs(check::check_header_names), values, "the old name and the new one, as old:new.")},
      {"replace", std::move(replace)},
      {"add", parts(header_pairs(check_header_value), values, pairs)},
      {"append", parts(header_pairs(check_header_value), values, pairs)},
  }).in_entity({{"protocols", gibbon::typedefs::protocols()}});
}
