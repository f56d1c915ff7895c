#include "gibbon/fields.hpp"
#include "gibbon/typedefs.hpp"

using namespace gibbon::fields;

namespace {

std::optional<std::string> one_kind_of_answer(const gibbon::ConfigView& config) {
  const bool has_content_type = !config.string("content_type").empty(), has_body = !config.string("body").empty();
  if (!config.string("message").empty() && (has_content_type || has_body))
    return "message cannot be used with content_type or body";
  if (has_content_type && !has_body) return "content_type requires a body";
  if (config.boolean("echo") && (has_content_type || has_body)) return "echo cannot be used with content_type and body";
  return {};
}

}  // namespace

// clang-format off
gibbon::Schema request_termination_schema() {
  return record({
      {"status_code", integer().required().default_value(503).between(100, 599).description("The status of the answer.")},
      {"message", string().description("The message of the answer, which is JSON. Not beside `body`.")},
      {"content_type", string().description("The type of `body`.")},
      {"body", string().description("The answer's whole body.")},
      {"echo", boolean().required().default_value(false)
          .description("Whether the answer shows the request, and what it matched.")},
      {"trigger", gibbon::typedefs::header_name()
          .description("Requests that have neither a header nor a query argument of this name are let through. Where "
                       "it is null, none is.")},
  })
      .in_entity({{"protocols", gibbon::typedefs::protocols_http()}})
      .validated_by(one_kind_of_answer);
}
// clang-format on
