#include "schema/describe.hpp"

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
    case Kind::kCustom:
      return {{"custom_entity_check", json::object{{"field_sources", texts(check.fields)}}}};
  }
  return {};
}

json::array describe_checks(const std::vector<EntityCheck>& checks) {
  json::array array;
  for (const EntityCheck& check : checks) array.push_back(describe_check(check));
  return array;
}

void describe_attributes(const Field& field, json::object& out) {
  if (field.is_required) out["required"] = true;
  if (field.has_default) out["default"] = to_json(field.default_literal);
  if (field.is_auto) out["auto"] = true;
  if (field.is_unique) out["unique"] = true;
  if (field.is_immutable) out["immutable"] = true;
  if (field.is_referenceable) out["referenceable"] = true;
  if (field.is_encrypted) out["encrypted"] = true;
  if (field.is_transient) out["transient"] = true;
  if (field.is_abstract) out["abstract"] = true;
  if (!field.referenced_entity.empty()) out["reference"] = field.referenced_entity;
  if (field.cascades) out["on_delete"] = "cascade";
  if (!field.description_text.empty()) out["description"] = field.description_text;
  if (!field.error_message.empty()) out["err"] = field.error_message;
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
  if (!field.checks.empty()) out["entity_checks"] = describe_checks(field.checks);
  if (!field.shorthands.empty()) {
    json::array shorthands;
    for (const Shorthand& s : field.shorthands)
      shorthands.push_back(json::object{{s.name, describe_field(s.value)}});
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

json::object describe_plugin(const Schema& config) {
  Field row = config;
  row.required();
  row.checks.clear();
  json::array checks;
  for (const EntityCheck& check : under("config", config.checks)) checks.push_back(describe_check(check));
  return {{"entity_checks", std::move(checks)},
          {"fields", json::array{json::object{{"config", describe_field(row)}}}}};
}

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
