#include "schema/describe.hpp"

#include <algorithm>

#include "schema/custom_checks.hpp"
#include "schema/literals.hpp"
#include "schema/records.hpp"

namespace gibbon::schema {
namespace {

json::object describe_field(const Field& field);

std::string_view name_of(FieldType type) {
  switch (type) {
    case FieldType::kString:
      return "string";
    case FieldType::kNumber:
      return "number";
    case FieldType::kInteger:
      return "integer";
    case FieldType::kBoolean:
      return "boolean";
    case FieldType::kArray:
      return "array";
    case FieldType::kSet:
      return "set";
    case FieldType::kMap:
      return "map";
    case FieldType::kRecord:
      return "record";
    case FieldType::kForeign:
      return "foreign";
    case FieldType::kJson:
      return "json";
    case FieldType::kAny:
      return "any";
  }
  return {};
}

json::array texts(const std::vector<std::string>& values) {
  return json::array(values.begin(), values.end());
}

json::array literals(const std::vector<Literal>& values) {
  json::array array;
  for (const Literal& value : values) array.push_back(to_json(value));
  return array;
}

json::array patterns(const std::vector<Pattern>& values) {
  json::array array;
  for (const Pattern& p : values) array.push_back(json::object{{"pattern", p.pattern}, {"err", p.message}});
  return array;
}

json::array rows(const std::vector<NamedField>& fields) {
  json::array array;
  for (const NamedField& row : fields) array.push_back(json::object{{row.name, describe_field(row.field)}});
  return array;
}

json::object describe_conditional(const EntityCheck& check) {
  json::object out{{"if_field", check.if_field}, {"then_field", check.then_field}};
  if (!check.if_match.empty()) out["if_match"] = describe_field(check.if_match.front());
  if (!check.then_match.empty()) out["then_match"] = describe_field(check.then_match.front());
  if (!check.message.empty()) out["then_err"] = check.message;
  return out;
}

json::object describe_conditional_at_least_one_of(const EntityCheck& check) {
  json::object out{{"if_field", check.if_field}, {"then_at_least_one_of", texts(check.fields)}};
  if (!check.if_match.empty()) out["if_match"] = describe_field(check.if_match.front());
  if (!check.message.empty()) out["then_err"] = check.message;
  if (!check.else_match.empty()) out["else_match"] = describe_field(check.else_match.front());
  if (!check.else_fields.empty()) out["else_then_at_least_one_of"] = texts(check.else_fields);
  if (!check.else_message.empty()) out["else_then_err"] = check.else_message;
  return out;
}

json::object describe_custom(const EntityCheck& check) {
  json::object out{{"field_sources", texts(check.fields)}};
  if (check.runs_with_missing_fields) out["run_with_missing_fields"] = true;
  if (check.runs_with_invalid_fields) out["run_with_invalid_fields"] = true;
  return out;
}

json::object describe_check(const EntityCheck& check) {
  using Kind = EntityCheck::Kind;
  switch (check.kind) {
    case Kind::kAtLeastOneOf:
      return {{"at_least_one_of", texts(check.fields)}};
    case Kind::kOnlyOneOf:
      return {{"only_one_of", texts(check.fields)}};
    case Kind::kMutuallyRequired:
      return {{"mutually_required", texts(check.fields)}};
    case Kind::kMutuallyExclusive:
      return {{"mutually_exclusive", texts(check.fields)}};
    case Kind::kDistinct:
      return {{"distinct", texts(check.fields)}};
    case Kind::kConditional:
      return {{"conditional", describe_conditional(check)}};
    case Kind::kConditionalAtLeastOneOf:
      return {{"conditional_at_least_one_of", describe_conditional_at_least_one_of(check)}};
    case Kind::kMutuallyExclusiveSets:
      return {{"mutually_exclusive_sets",
               json::object{{"set1", texts(check.fields)}, {"set2", texts(check.else_fields)}}}};
    case Kind::kCustom:
      return {{"custom_entity_check", describe_custom(check)}};
  }
  return {};
}

json::array describe_checks(const std::vector<EntityCheck>& checks) {
  json::array array;
  for (const EntityCheck& check : checks)
    if (check.kind != EntityCheck::Kind::kCustom || is_listed_check(check.custom_name))
      array.push_back(describe_check(check));
  return array;
}

json::object describe_deprecation(const Deprecation& deprecation) {
  json::object out{{"message", deprecation.message}};
  if (!deprecation.removal_in_version.empty()) out["removal_in_version"] = deprecation.removal_in_version;
  if (deprecation.old_default) out["old_default"] = to_json(*deprecation.old_default);
  return out;
}

/// A former name says what replaced it: [{"path": ["redis", "host"]}].
json::object describe_shorthand(const Shorthand& shorthand) {
  json::object out = describe_field(shorthand.value);
  if (shorthand.path.empty()) return out;
  json::array path;
  for (std::size_t at = 0; at <= shorthand.path.size();) {
    const std::size_t dot = std::min(shorthand.path.find('.', at), shorthand.path.size());
    path.emplace_back(shorthand.path.substr(at, dot - at));
    at = dot + 1;
  }
  json::value& deprecation = out["deprecation"];
  if (!deprecation.is_object()) deprecation = json::object();
  deprecation.get_object()["replaced_with"] = json::array{json::object{{"path", std::move(path)}}};
  return out;
}

void describe_attributes(const Field& field, json::object& out) {
  if (field.is_required || field.is_optional) out["required"] = field.is_required;
  if (has_default(field)) out["default"] = default_of(field);
  if (field.is_auto) out["auto"] = true;
  if (field.is_unique) out["unique"] = true;
  if (field.is_unique_across_ws) out["unique_across_ws"] = true;
  if (field.is_immutable) out["immutable"] = true;
  if (field.is_referenceable) out["referenceable"] = true;
  if (field.is_encrypted) out["encrypted"] = true;
  if (field.is_transient) out["transient"] = true;
  if (field.is_abstract) out["abstract"] = true;
  if (!field.referenced_entity.empty()) out["reference"] = field.referenced_entity;
  if (field.cascades) out["on_delete"] = "cascade";
  if (!field.description_text.empty() && !field.is_unlisted) out["description"] = field.description_text;
  if (!field.error_message.empty()) out["err"] = field.error_message;
  if (field.deprecation) out["deprecation"] = describe_deprecation(*field.deprecation);
}

void describe_values(const Field& field, json::object& out) {
  if (field.has_eq) out["eq"] = to_json(field.eq_literal);
  if (field.has_ne) out["ne"] = to_json(field.ne_literal);
  if (!field.allowed.empty()) out["one_of"] = literals(field.allowed);
  if (!field.forbidden.empty()) out["not_one_of"] = literals(field.forbidden);
  if (field.has_gt) out["gt"] = to_json(field.gt);
  if (field.has_between && !field.is_unlisted)
    out["between"] = literals({field.between_low, field.between_high});
  if (field.is_timestamp) out["timestamp"] = true;
  if (field.is_uuid) out["uuid"] = true;
  if (field.is_regex) out["is_regex"] = true;
  if (field.length_eq >= 0) out["len_eq"] = field.length_eq;
  if (field.length_min >= 0) out["len_min"] = field.length_min;
  if (field.length_max >= 0) out["len_max"] = field.length_max;
  if (!field.contained.empty()) out["contains"] = field.contained;
  if (!field.exclusive_subsets.empty()) {
    json::array subsets;
    for (const auto& subset : field.exclusive_subsets) subsets.push_back(texts(subset));
    out["mutually_exclusive_subsets"] = std::move(subsets);
  }
}

void describe_patterns(const Field& field, json::object& out) {
  if (!field.prefix_required.empty()) out["starts_with"] = field.prefix_required;
  if (!field.patterns.empty()) {
    out["match"] = field.patterns.front().pattern;
    if (!field.patterns.front().message.empty()) out["err"] = field.patterns.front().message;
  }
  if (!field.not_patterns.empty()) out["not_match"] = field.not_patterns.front().pattern;
  if (!field.none_patterns.empty()) out["match_none"] = patterns(field.none_patterns);
  if (!field.all_patterns.empty()) out["match_all"] = patterns(field.all_patterns);
  if (!field.any_patterns.empty()) {
    out["match_any"] = json::object{{"patterns", texts(field.any_patterns)}, {"err", field.any_message}};
  }
}

json::object describe_field(const Field& field) {
  json::object out;
  if (field.type != FieldType::kAny) out["type"] = name_of(field.type);
  describe_attributes(field, out);
  describe_values(field, out);
  describe_patterns(field, out);
  if (!field.key.empty()) out["keys"] = describe_field(field.key.front());
  if (!field.element.empty()) {
    out[field.type == FieldType::kMap ? "values" : "elements"] = describe_field(field.element.front());
  }
  if (field.type == FieldType::kRecord && !field.is_abstract) out["fields"] = rows(field.fields);
  if (json::array checks = describe_checks(field.checks); !checks.empty()) out["entity_checks"] = std::move(checks);
  if (!field.shorthands.empty()) {
    json::array shorthands;
    for (const Shorthand& s : field.shorthands)
      shorthands.push_back(json::object{{s.name, describe_shorthand(s)}});
    out["shorthand_fields"] = std::move(shorthands);
  }
  return out;
}

template <typename Predicate>
std::vector<const NamedField*> rows_where(const Schema& schema, Predicate predicate) {
  std::vector<const NamedField*> found;
  for (const NamedField& row : schema.fields) {
    if (predicate(row.field)) found.push_back(&row);
  }
  return found;
}

}  // namespace

json::object describe(const Schema& schema) {
  return {{"entity_checks", describe_checks(schema.checks)}, {"fields", rows(schema.fields)}};
}

json::object describe(const Subschema& subschema) {
  return {{"entity_checks", describe_checks(subschema.checks)}, {"fields", rows(subschema.fields)}};
}

const Subschema* find_subschema(const Schema& schema, std::string_view key) {
  return select_subschema(schema, {{schema.subschema_key, key}});
}

json::object describe_plugin(const Schema& config) {
  json::array checks = describe_checks(under("config", config.checks));
  json::array fields = rows(config.entity_rows);
  fields.push_back(json::object{{"config", describe_field(config_row(config))}});
  return {{"entity_checks", std::move(checks)}, {"fields", std::move(fields)}};
}

json::object describe_plugin_config(const Schema& config) { return describe(config_row(config)); }

const Field* find_field(const Schema& schema, std::string_view name) {
  return find_row(schema, nullptr, name);
}

std::vector<const NamedField*> unique_fields(const Schema& schema) {
  return rows_where(schema, [](const Field& field) { return field.is_unique; });
}

std::vector<const NamedField*> foreign_fields(const Schema& schema) {
  return rows_where(schema, [](const Field& field) { return field.type == FieldType::kForeign; });
}

std::vector<const NamedField*> immutable_fields(const Schema& schema) {
  return rows_where(schema, [](const Field& field) { return field.is_immutable; });
}

}  // namespace gibbon::schema
