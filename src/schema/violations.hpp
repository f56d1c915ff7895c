#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"

namespace gibbon::schema {

/// All that is wrong with one input, in Kong's shape.
struct Violations {
  /// What Kong calls `fields`: a field's message; for arrays and sets an array of messages (null where an
  /// element is right); for records and maps a nested object; under "@entity" an array of messages about the
  /// whole.
  json::object fields;

  [[nodiscard]] bool empty() const { return fields.empty(); }
  /// Adds the message of a field of the entity itself; a message that stands there already is replaced.
  void add(std::string_view field, std::string_view message) { fields[field] = message; }
  /// Adds a message about the entity as a whole.
  void add_entity(std::string_view message);
  /// "schema violation (config.timeout: expected a number)" or "2 schema violations (a: x; b: y)", sorted as
  /// in Kong.
  [[nodiscard]] std::string message() const;
  /// {"code":2,"name":"schema violation","fields":{...},"message":"..."}: the body of a 400.
  [[nodiscard]] json::object to_json() const;
};

/// A value as Kong prints it inside messages: {id="...",route=null} on one line, keys sorted, null where JSON
/// has null.
std::string lua_text(const json::value& value);

}  // namespace gibbon::schema
