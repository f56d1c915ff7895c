#pragma once

#include "gibbon/schema.hpp"

/// Rows that many plugins have in common, as Kong's typedefs.
namespace gibbon::fields {

/// The rows that each entity has: its id, when it was made, its tags.
inline Field id() {
  return string().uuid().automatic().description("The entity's UUID; made where none is given.");
}
inline Field created_at() {
  return integer().timestamp().automatic().description(
      "When the entity was created, in seconds since the epoch.");
}
inline Field tags() {
  return set(string().required().format("tag").description("One tag."))
      .description("Words by which entities are grouped and searched.");
}
/// The consumer that a credential belongs to, and with which it goes.
inline Field owner() {
  return foreign("consumers").required().on_delete_cascade().description("The consumer that it belongs to.");
}

// Rows of a plugin's own entity beside `config`: see Field::in_entity().

/// `consumer`: the plugin cannot be configured for one.
inline Field no_consumer() { return foreign("consumers").must_be_null(); }
/// `protocols`: those of HTTP alone.
inline Field http_protocols() {
  const std::vector<std::string> all = {"grpc", "grpcs", "http", "https"};
  return set(string().one_of({"grpc", "grpcs", "http", "https"})).required().default_value(Literal(all));
}

}  // namespace gibbon::fields
