#include "schema/shorthands.hpp"

#include <charconv>

#include "schema/field_rules.hpp"
#include "schema/literals.hpp"
#include "schema/records.hpp"
#include "schema/uri.hpp"

namespace gibbon::schema {
namespace {

json::value or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

/// A service's `url`: what it does not say becomes the default of its protocol, or null.
json::object expand_url(const json::value& value) {
  const Url url = parse_url(value.get_string());
  json::value port;
  if (url.port) {
    std::int64_t number = 0;
    const char* const end = url.port->data() + url.port->size();
    const auto result = std::from_chars(url.port->data(), end, number);
    port = result.ec == std::errc() && result.ptr == end ? json::value(number) : json::value(*url.port);
  }
  const std::string protocol = url.scheme ? *url.scheme : port == json::value(443) ? "https" : "http";
  if (port.is_null()) port = protocol == "https" ? 443 : 80;
  return {{"protocol", protocol}, {"host", or_null(url.host)}, {"port", port}, {"path", or_null(url.path)}};
}

json::object expand(const std::string& expansion, const json::value& value) {
  return expansion == "url" ? expand_url(value) : json::object();
}

/// As Lua's tostring.
std::string text_of(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_number()) return number_text(number_of(value));
  return value.is_structured() ? lua_text(value) : json::serialize(value);
}

/// Both names may be given where they say the same.
std::optional<std::string> mismatch(const json::object& input, const Shorthand& former,
                                    const json::value& value) {
  const json::value* current = find_value(input, former.path);
  if (value.is_null() || current == nullptr || current->is_null()) return {};
  if (simplest_number(*current) == simplest_number(value)) return {};
  return "both deprecated and new field are used but their values mismatch: " + former.name + " = " +
         text_of(value) + " vs " + former.path + " = " + text_of(*current);
}

/// Sets the field at a dotted name where nothing is set. What is no record on the way there stays, to be
/// refused.
void set_where_unset(json::object& object, std::string_view path, const json::value& value) {
  const std::size_t dot = path.find('.');
  json::value& slot = object[path.substr(0, dot)];
  if (dot == std::string_view::npos) {
    if (slot.is_null()) slot = value;
    return;
  }
  if (slot.is_null()) slot = json::object();
  if (slot.is_object()) set_where_unset(slot.get_object(), path.substr(dot + 1), value);
}

void show_in_parts(const Field& field, json::value& value) {
  if (field.type == FieldType::kRecord && value.is_object()) {
    show_former_names(field, value.get_object());
  } else if (!field.element.empty() && value.is_array()) {
    for (json::value& element : value.get_array()) show_in_parts(field.element.front(), element);
  } else if (!field.element.empty() && value.is_object()) {
    for (auto& member : value.get_object()) show_in_parts(field.element.front(), member.value());
  }
}

}  // namespace

void expand_shorthands(const Field& record, json::object& input, Violations& violations) {
  for (const Shorthand& shorthand : record.shorthands) {
    const json::value* given = input.if_contains(shorthand.name);
    if (given == nullptr) continue;
    if (FieldError error = check_value(shorthand.value, *given, Operation::kInsert)) {
      violations.fields[shorthand.name] = std::move(*error);
      continue;
    }
    const json::value value = *given;
    if (!shorthand.path.empty()) {
      if (const auto message = mismatch(input, shorthand, value)) {
        violations.add(shorthand.name, *message);
        continue;
      }
    }
    input.erase(shorthand.name);
    if (!shorthand.path.empty()) {
      set_where_unset(input, shorthand.path, value);
    } else if (!value.is_null()) {
      for (auto& member : expand(shorthand.expansion, value)) input[member.key()] = member.value();
    }
  }
}

void show_former_names(const Field& record, json::object& entity) {
  for (const NamedField& row : record.fields) {
    if (json::value* value = entity.if_contains(row.name)) show_in_parts(row.field, *value);
  }
  for (const Shorthand& shorthand : record.shorthands) {
    if (shorthand.path.empty()) continue;
    if (const json::value* value = find_value(entity, shorthand.path)) {
      json::value copy = *value;
      entity[shorthand.name] = std::move(copy);
    }
  }
}

}  // namespace gibbon::schema
