#include "schema/entity_checks.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include "schema/custom_checks.hpp"
#include "schema/formats.hpp"
#include "schema/records.hpp"
#include "schema/validators.hpp"

namespace gibbon::schema {
namespace {

using Kind = EntityCheck::Kind;

bool runs_with_missing_fields(Kind kind) {
  return kind == Kind::kAtLeastOneOf || kind == Kind::kConditionalAtLeastOneOf ||
         kind == Kind::kMutuallyRequired || kind == Kind::kMutuallyExclusive ||
         kind == Kind::kMutuallyExclusiveSets;
}

bool runs_with_invalid_fields(Kind kind) {
  return kind != Kind::kCustom && kind != Kind::kMutuallyRequired && kind != Kind::kMutuallyExclusive &&
         kind != Kind::kMutuallyExclusiveSets;
}

std::vector<std::string> fields_of(const EntityCheck& check) {
  std::vector<std::string> names;
  if (!check.if_field.empty()) names.push_back(check.if_field);
  if (!check.then_field.empty()) names.push_back(check.then_field);
  names.insert(names.end(), check.fields.begin(), check.fields.end());
  names.insert(names.end(), check.else_fields.begin(), check.else_fields.end());
  return names;
}

/// Sets the message of a field by its dotted name; a message that stands higher up stays.
void set_error(json::object& errors, std::string_view path, const json::value& error) {
  const std::size_t dot = path.find('.');
  json::value& slot = errors[path.substr(0, dot)];
  if (dot == std::string_view::npos) {
    slot = error;
  } else if (slot.is_null() || slot.is_object()) {
    if (slot.is_null()) slot = json::object();
    set_error(slot.get_object(), path.substr(dot + 1), error);
  }
}

/// A match's rules upon the row that it looks at: what it does not say, the row says.
Field overlay(const Field* row, const Field& match) {
  if (row == nullptr) return match;
  Field field = *row;
  if (match.type != FieldType::kAny) field.type = match.type;
  if (match.is_required) field.is_required = true;
  if (match.is_uuid) field.is_uuid = true;
  if (match.is_timestamp) field.is_timestamp = true;
  if (match.has_eq) field.equal(match.eq_literal);
  if (match.has_ne) field.not_equal(match.ne_literal);
  if (match.has_between) field.between(match.between_low, match.between_high);
  if (match.has_gt) field.greater_than(match.gt);
  if (match.length_eq >= 0) field.length_eq = match.length_eq;
  if (match.length_min >= 0) field.length_min = match.length_min;
  if (match.length_max >= 0) field.length_max = match.length_max;
  if (!match.allowed.empty()) field.allowed = match.allowed;
  if (!match.forbidden.empty()) field.forbidden = match.forbidden;
  if (!match.prefix_required.empty()) field.prefix_required = match.prefix_required;
  if (!match.patterns.empty()) field.patterns = match.patterns;
  if (!match.not_patterns.empty()) field.not_patterns = match.not_patterns;
  if (match.is_regex) field.is_regex = true;
  if (!match.none_patterns.empty()) field.none_patterns = match.none_patterns;
  if (!match.all_patterns.empty()) field.all_patterns = match.all_patterns;
  if (!match.any_patterns.empty()) field.match_any(match.any_patterns, match.any_message);
  if (!match.contained.empty()) field.contained = match.contained;
  if (!match.format_name.empty()) field.format_name = match.format_name;
  if (!match.error_message.empty()) field.error_message = match.error_message;
  if (!match.element.empty()) field.element = match.element;
  return field;
}

/// One run over one record.
class Runner {
 public:
  Runner(const Field& record, const Subschema* subschema, const json::object& object,
         Completeness completeness, Operation operation, Violations& violations)
      : record_(record),
        subschema_(subschema),
        object_(object),
        completeness_(completeness),
        operation_(operation),
        violations_(violations) {}

  void run(const EntityCheck& check) {
    if (!may_run(check)) return;
    if (const std::optional<std::string> message = outcome(check)) violations_.add_entity(*message);
  }

 private:
  using Outcome = std::optional<std::string>;

  /// Kong's conditions: no reference to a secret among the fields, no error where that matters, something
  /// set.
  bool may_run(const EntityCheck& check) {
    std::vector<std::string> missing;
    bool any_present = false, any_wrong = false;
    for (const std::string& name : fields_of(check)) {
      const json::value* value = find_value(object_, name);
      const Field* row = find_row_by_path(record_, subschema_, name);
      if (value != nullptr) {
        any_present = true;
        if (row != nullptr && row->is_referenceable && value->is_string() &&
            is_vault_reference(value->get_string())) {
          return false;
        }
      } else if (!runs_with_missing_fields(check.kind) && !check.runs_with_missing_fields &&
                 name != check.then_field) {
        missing.push_back(name);
      }
      any_wrong = any_wrong || violations_.fields.contains(name);
    }
    if (any_wrong && !runs_with_invalid_fields(check.kind) && !check.runs_with_invalid_fields) return false;
    if (!any_present && !(runs_with_missing_fields(check.kind) && completeness_ == Completeness::kFull))
      return false;
    for (const std::string& name : missing) {
      set_error(violations_.fields, name,
                operation_ == Operation::kUpdate ? "field required for entity check when updating"
                                                 : "field required for entity check");
    }
    return missing.empty();
  }

  Outcome outcome(const EntityCheck& check) {
    switch (check.kind) {
      case Kind::kAtLeastOneOf:
        return at_least_one_of(check.fields);
      case Kind::kOnlyOneOf:
        if (count_nonempty(check.fields) == 1) return {};
        return "exactly one of these fields must be non-empty: " + quoted_list(check.fields);
      case Kind::kMutuallyRequired: {
        const std::size_t count = count_nonempty(check.fields);
        if (count == 0 || count == check.fields.size()) return {};
        return "all or none of these fields must be set: " + quoted_list(check.fields);
      }
      case Kind::kMutuallyExclusive:
        if (count_nonempty(check.fields) <= 1) return {};
        return "only one or none of these fields must be set: " + quoted_list(check.fields);
      case Kind::kMutuallyExclusiveSets:
        return exclusive_sets(nonempty(check.fields), nonempty(check.else_fields));
      case Kind::kDistinct:
        return distinct(check);
      case Kind::kConditional:
        return conditional(check);
      case Kind::kConditionalAtLeastOneOf:
        return conditional_at_least_one_of(check);
      case Kind::kCustom:
        return run_custom_check(check, object_);
    }
    return {};
  }

  [[nodiscard]] std::size_t count_nonempty(const std::vector<std::string>& names) const {
    return static_cast<std::size_t>(std::count_if(names.begin(), names.end(), [&](const std::string& name) {
      return is_nonempty(find_value(object_, name));
    }));
  }

  [[nodiscard]] std::vector<std::string> nonempty(const std::vector<std::string>& names) const {
    std::vector<std::string> set;
    std::copy_if(names.begin(), names.end(), std::back_inserter(set),
                 [&](const std::string& name) { return is_nonempty(find_value(object_, name)); });
    return set;
  }

  static Outcome exclusive_sets(const std::vector<std::string>& one, const std::vector<std::string>& other) {
    if (one.empty() || other.empty()) return {};
    return "these sets are mutually exclusive: (" + quoted_list(one) + "), (" + quoted_list(other) + ")";
  }

  Outcome at_least_one_of(const std::vector<std::string>& names) {
    if (count_nonempty(names) > 0) return {};
    return std::string(operation_ == Operation::kUpdate ? "when updating, " : "") +
           "at least one of these fields must be non-empty: " + quoted_list(names);
  }

  Outcome distinct(const EntityCheck& check) {
    std::vector<const json::value*> seen;
    for (const std::string& name : check.fields) {
      const json::value* value = find_value(object_, name);
      if (!is_nonempty(value) || value->is_structured()) continue;
      if (std::any_of(seen.begin(), seen.end(), [&](const json::value* other) { return *other == *value; })) {
        return "values of these fields must be distinct: " + quoted_list(check.fields);
      }
      seen.push_back(value);
    }
    return {};
  }

  [[nodiscard]] FieldError match(const std::vector<Field>& rules, const std::string& name,
                                 const json::value& value) const {
    if (rules.empty()) return {};
    return check_value(overlay(find_row_by_path(record_, subschema_, name), rules.front()), value,
                       operation_);
  }

  Outcome conditional(const EntityCheck& check) {
    if (match(check.if_match, check.if_field, *find_value(object_, check.if_field))) return {};
    static const json::value kNull;
    const json::value* found = find_value(object_, check.then_field);
    const json::value& value = found != nullptr ? *found : kNull;
    const std::string failed = "failed conditional validation given value of field '" + check.if_field + "'";
    if (value.is_null() && !check.then_match.empty() && check.then_match.front().is_required) {
      set_error(violations_.fields, check.then_field, json::value(kRequiredMissing));
      return failed;
    }
    const FieldError error = match(check.then_match, check.then_field, value);
    if (!error) return {};
    set_error(violations_.fields, check.then_field, *error);
    return check.message.empty() ? failed : with_argument(check.message, check.if_field);
  }

  Outcome conditional_at_least_one_of(const EntityCheck& check) {
    const json::value* value = find_value(object_, check.if_field);
    if (value == nullptr) return {};
    if (!match(check.if_match, check.if_field, *value)) return one_of_these(check.fields, check.message);
    if (check.else_match.empty() || match(check.else_match, check.if_field, *value)) return {};
    return one_of_these(check.else_fields, check.else_message);
  }

  Outcome one_of_these(const std::vector<std::string>& names, const std::string& message) {
    if (message.empty()) return at_least_one_of(names);
    if (count_nonempty(names) > 0) return {};
    return with_argument(message, quoted_list(names));
  }

  const Field& record_;
  const Subschema* subschema_;
  const json::object& object_;
  Completeness completeness_;
  Operation operation_;
  Violations& violations_;
};

}  // namespace

void run_entity_checks(const Field& record, const Subschema* subschema, const json::object& object,
                       Completeness completeness, Operation operation, Violations& violations) {
  Runner plain(record, nullptr, object, completeness, operation, violations);
  for (const EntityCheck& check : record.checks) plain.run(check);
  if (subschema == nullptr) return;
  Runner special(record, subschema, object, completeness, operation, violations);
  for (const EntityCheck& check : subschema->checks) special.run(check);
}

std::string with_argument(std::string text, std::string_view argument) {
  if (const std::size_t at = text.find("%s"); at != std::string::npos) text.replace(at, 2, argument);
  return text;
}

}  // namespace gibbon::schema
