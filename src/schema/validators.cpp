#include "schema/validators.hpp"

#include <algorithm>

#include "base/uuid.hpp"
#include "schema/formats.hpp"
#include "schema/literals.hpp"
#include "schema/lua_pattern.hpp"
#include "schema/regex.hpp"
#include "schema/utf8.hpp"

namespace gibbon::schema {
namespace {

using Violation = std::optional<std::string>;

bool is_among(const json::value& value, const std::vector<Literal>& literals) {
  return std::any_of(literals.begin(), literals.end(), [&](const Literal& l) { return equals(value, l); });
}

Violation check_equality(const Field& field, const json::value& value) {
  if (field.has_eq && !equals(value, field.eq_literal)) return "value must be " + to_string(field.eq_literal);
  if (field.has_ne && equals(value, field.ne_literal))
    return "value must not be " + to_string(field.ne_literal);
  if (!field.forbidden.empty() && is_among(value, field.forbidden)) {
    return "must not be one of: " + to_string(field.forbidden);
  }
  if (!field.allowed.empty() && !is_among(value, field.allowed))
    return "expected one of: " + to_string(field.allowed);
  return {};
}

Violation check_number(const Field& field, const json::value& value) {
  const double number = number_of(value);
  if (field.has_gt && !(number > field.gt)) return "value must be greater than " + number_text(field.gt);
  if (field.is_timestamp && !(number > 0)) return "expected a valid timestamp";
  if (field.has_between && !(number >= field.between_low && number <= field.between_high)) {
    return "value should be between " + std::to_string(static_cast<std::int64_t>(field.between_low)) +
           " and " + std::to_string(static_cast<std::int64_t>(field.between_high));
  }
  return {};
}

Violation check_length(const Field& field, std::size_t size) {
  const auto length = static_cast<std::int64_t>(size);
  const std::int64_t least = field.type == FieldType::kString && field.length_min < 0 ? 1 : field.length_min;
  if (field.length_eq >= 0 && length != field.length_eq)
    return "length must be " + std::to_string(field.length_eq);
  if (length < least) return "length must be at least " + std::to_string(least);
  if (field.length_max >= 0 && length > field.length_max) {
    return "length must be at most " + std::to_string(field.length_max);
  }
  return {};
}

Violation check_patterns(const Field& field, std::string_view text) {
  const auto message_of = [&](const Pattern& p) {
    return p.message.empty() ? "invalid value: " + std::string(text) : p.message;
  };
  for (const Pattern& p : field.not_patterns) {
    if (lua_match(text, p.pattern)) return message_of(p);
  }
  for (const Pattern& p : field.none_patterns) {
    if (lua_match(text, p.pattern)) return message_of(p);
  }
  for (const Pattern& p : field.patterns) {
    if (!lua_match(text, p.pattern)) return message_of(p);
  }
  for (const Pattern& p : field.all_patterns) {
    if (!lua_match(text, p.pattern)) return message_of(p);
  }
  const auto& any = field.any_patterns;
  if (!any.empty() &&
      std::none_of(any.begin(), any.end(), [&](const auto& p) { return lua_match(text, p); })) {
    return message_of({{}, field.any_message});
  }
  return {};
}

/// JSON can hold UTF-8 alone, and no database stores NUL. Kong fails when it writes; here it is a violation.
Violation check_storable(std::string_view text) {
  if (const std::size_t bad = first_invalid_utf8(text); bad != std::string_view::npos)
    return "invalid utf-8 character sequence detected at position " + std::to_string(bad + 1);
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos)
    return "invalid NUL character detected at position " + std::to_string(nul + 1);
  return {};
}

Violation check_text(const Field& field, std::string_view text) {
  if (field.is_uuid && !is_uuid(text)) return "expected a valid UUID";
  if (field.is_regex && !regex_error(text).empty()) return "not a valid regex: " + std::string(text);
  if (Violation bad = check_length(field, text.size())) return bad;
  if (!text.starts_with(field.prefix_required)) return "should start with: " + field.prefix_required;
  if (Violation bad = check_patterns(field, text)) return bad;
  if (!field.format_name.empty()) {
    if (Violation bad = check_format(field.format_name, text)) return bad;
  }
  if (field.text_check != nullptr) {
    if (Violation bad = field.text_check(text)) return bad;
  }
  return check_storable(text);
}

/// The subsets of which elements are in; they exclude one another.
Violation check_exclusive_subsets(const Field& field, const json::array& elements) {
  std::vector<const std::vector<std::string>*> touched;
  for (const json::value& element : elements) {
    if (!element.is_string()) continue;
    for (const auto& subset : field.exclusive_subsets) {
      const bool member =
          std::find(subset.begin(), subset.end(), std::string_view(element.get_string())) != subset.end();
      if (member && std::find(touched.begin(), touched.end(), &subset) == touched.end())
        touched.push_back(&subset);
    }
  }
  if (touched.size() <= 1) return {};
  std::string text;
  for (const auto* subset : touched) text += (text.empty() ? "(" : ", (") + quoted_list(*subset) + ")";
  return "these sets are mutually exclusive: " + text;
}

Violation check_array(const Field& field, const json::array& elements) {
  if (Violation bad = check_length(field, elements.size())) return bad;
  if (!field.contained.empty() && std::none_of(elements.begin(), elements.end(), [&](const json::value& e) {
        return equals(e, field.contained);
      })) {
    return "expected to contain: " + field.contained;
  }
  return check_exclusive_subsets(field, elements);
}

}  // namespace

std::optional<std::string> run_validators(const Field& field, const json::value& value) {
  Violation bad = check_equality(field, value);
  if (!bad && value.is_number()) bad = check_number(field, value);
  if (!bad && value.is_string()) bad = check_text(field, value.get_string());
  if (!bad && value.is_array()) bad = check_array(field, value.get_array());
  if (!bad && value.is_object()) bad = check_length(field, value.get_object().size());
  if (bad && !field.error_message.empty()) return field.error_message;
  return bad;
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

}  // namespace gibbon::schema
