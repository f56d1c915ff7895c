#include "config/rows/rows.hpp"

#include "gibbon/fields.hpp"

namespace gibbon::config::rows {

using namespace gibbon::fields;

Field id() { return fields::id(); }
Field created_at() { return fields::created_at(); }
Field updated_at() {
  return integer().timestamp().automatic().description(
      "When the entity was last changed, in seconds since the epoch.");
}
Field name(std::string description) {
  return string().unique().format("name").description(std::move(description));
}
Field tags() { return fields::tags(); }

Field protocol() {
  return string()
      .one_of({"grpc", "grpcs", "http", "https", "tcp", "tls", "tls_passthrough", "udp"})
      .description("A protocol, such as http or grpcs.");
}
Field port(std::string description) {
  return integer().between(0, 65535).description(std::move(description));
}
Field path() { return string().starts_with("/").match_none({{"//", "must not have empty segments"}}).format("path"); }
Field header_name() { return string().format("header_name"); }

Field is_one_of(std::vector<Literal> values) { return rules().one_of(std::move(values)); }
Field is_not_one_of(std::vector<Literal> values) { return rules().not_one_of(std::move(values)); }

}  // namespace gibbon::config::rows
