#include "schema/deprecations.hpp"

#include <algorithm>

#include "schema/literals.hpp"
#include "schema/records.hpp"

namespace gibbon::schema {
namespace {

using Messages = std::vector<std::string>;

void look_into(const Field& record, const json::object& object, Messages& messages);

void look_at(const Field& field, const json::value& value, Messages& messages) {
  if (value.is_null()) return;
  if (const auto& deprecation = field.deprecation;
      deprecation && !(deprecation->old_default && equals(value, *deprecation->old_default)) &&
      std::find(messages.begin(), messages.end(), deprecation->message) == messages.end()) {
    messages.push_back(deprecation->message);
  }
  if (field.type == FieldType::kRecord && value.is_object()) {
    look_into(field, value.get_object(), messages);
  } else if (!field.element.empty() && value.is_array()) {
    for (const json::value& element : value.get_array()) look_at(field.element.front(), element, messages);
  }
}

void look_into(const Field& record, const json::object& object, Messages& messages) {
  const Subschema* subschema = select_subschema(record, object);
  for (const auto& member : object) {
    if (const Field* row = find_row(record, subschema, member.key())) look_at(*row, member.value(), messages);
    for (const Shorthand& shorthand : record.shorthands) {
      if (shorthand.name == member.key()) look_at(shorthand.value, member.value(), messages);
    }
  }
}

}  // namespace

std::vector<std::string> deprecated_fields(const Schema& schema, const json::object& input) {
  Messages messages;
  look_into(schema, input, messages);
  return messages;
}

}  // namespace gibbon::schema
