#include "gibbon/fields.hpp"
#include "gibbon/typedefs.hpp"
#include "regex.hpp"

using namespace gibbon::fields;

namespace {

std::optional<std::string> asterisk_or_regex(std::string_view text) {
  if (text == "*") return {};
  try {
    const cors::Regex compiles(text);
    return {};
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
}

}  // namespace

// clang-format off
gibbon::Schema cors_schema() {
  const std::vector<std::string> methods = {"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"};
  return record({
      {"origins", array(string().validated_by(asterisk_or_regex).description("An origin, a regular expression, or `*`."))
          .description("The origins that may read answers: as they stand, or regular expressions, which match as a "
                       "whole. None, or `*` alone: all of them.")},
      {"headers", array(string()).description("What Access-Control-Allow-Headers says. Where it is not set, what the "
                                              "preflight request asks for.")},
      {"exposed_headers", array(string()).description("What Access-Control-Expose-Headers says.")},
      {"methods", array(string().one_of({methods.begin(), methods.end()})).default_value(gibbon::Literal(methods))
          .description("What Access-Control-Allow-Methods says.")},
      {"max_age", number().description("For how many seconds the answer to a preflight request may be kept.")},
      {"credentials", boolean().required().default_value(false)
          .description("Whether Access-Control-Allow-Credentials says true.")},
      {"private_network", boolean().required().default_value(false)
          .description("Whether Access-Control-Allow-Private-Network says true where a preflight request asks for it.")},
      {"preflight_continue", boolean().required().default_value(false)
          .description("Whether the upstream answers preflight requests.")},
      {"allow_origin_absent", boolean().required().default_value(true)
          .description("Whether answers to requests without an Origin header get the plugin's headers too.")},
  })
      .in_entity({{"consumer", gibbon::typedefs::no_consumer()}, {"protocols", gibbon::typedefs::protocols_http()}});
}
// clang-format on
