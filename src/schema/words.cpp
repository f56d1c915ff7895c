#include "schema/words.hpp"

#include <utility>

#include "base/json_text.hpp"
#include "schema/literals.hpp"
#include "schema/records.hpp"

namespace gibbon::schema {
namespace {

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + code(name);
  return text;
}

std::string list(const std::vector<Literal>& literals) {
  std::vector<std::string> names;
  for (const Literal& literal : literals) names.push_back(to_string(literal));
  return list(names);
}

bool is_null(const Literal& literal) { return std::holds_alternative<std::nullptr_t>(literal); }

std::string singular_of(std::string_view collection) {
  return std::string(collection.ends_with('s') ? collection.substr(0, collection.size() - 1) : collection);
}

std::string plain_type(const Field& field) {
  switch (field.type) {
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
      return "reference to a " + singular_of(field.referenced_entity);
    case FieldType::kJson:
    case FieldType::kAny:
      return "any JSON";
  }
  return {};
}

std::string many(const Field& field) {
  const std::string one = type_in_words(field);
  if (field.type == FieldType::kForeign || field.type == FieldType::kJson) return one;
  const std::size_t space = one.find(' ');  // "array of strings": arrays of strings
  return one.substr(0, space) + "s" + (space == std::string::npos ? "" : one.substr(space));
}

constexpr std::pair<std::string_view, std::string_view> kFormats[] = {
    {"name", "Letters, digits, `.`, `-`, `_`, `~` and anything beyond ASCII."},
    {"tag", "Printable characters but for `,` and `/`."},
    {"utf8", "Valid UTF-8."},
    {"url", "A URL with a scheme and a host."},
    {"http_url", "A URL whose scheme is http or https."},
    {"path", "Characters that RFC 3986 allows in a path."},
    {"router_path", "Normalized: without `.`, `..` and needless percent-encoding."},
    {"regex", "A regular expression."},
    {"host", "A host name or an address, without a port."},
    {"host_with_optional_port", "A host name or an address, with a port or without."},
    {"route_host", "A host name, with a port or without."},
    {"wildcard_host",
     "A host name without a port, with a `*` at its begin or its end or without; no address."},
    {"sni", "A host name without a port; no address."},
    {"ip", "An address."},
    {"ip_or_cidr", "An address or a range in CIDR notation."},
    {"cidr_v4", "A range of IPv4 addresses in CIDR notation."},
    {"header_name", "Letters, digits, `-` and `_`."},
    {"cookie_name", "Characters that RFC 2616 allows in a token."},
    {"upstream_name", "A host name without a port; no address."},
    {"target", "A host name or an address, with a port or without."},
    {"certificate", "X.509 in PEM."},
    {"private_key", "A private key in PEM."},
};

void add_numbers(const Field& field, std::vector<std::string>& out) {
  if (field.has_between)
    out.push_back("From " + number_text(field.between_low) + " to " + number_text(field.between_high) + ".");
  if (field.has_gt) out.push_back("Greater than " + number_text(field.gt) + ".");
}

void add_lengths(const Field& field, std::vector<std::string>& out) {
  const std::string unit = field.type == FieldType::kString ? "byte" : "element";
  const auto count = [&](std::int64_t n) { return std::to_string(n) + " " + unit + (n == 1 ? "" : "s"); };
  if (field.length_eq >= 0) out.push_back("Exactly " + count(field.length_eq) + ".");
  if (field.type == FieldType::kString && field.length_min == 0) out.emplace_back("May be empty.");
  if (field.length_min > (field.type == FieldType::kString ? 1 : 0))
    out.push_back("At least " + count(field.length_min) + ".");
  if (field.length_max >= 0) out.push_back("At most " + count(field.length_max) + ".");
}

/// What a pattern means is told by the message of those that do not fit.
std::string refused_with(const std::string& message) { return "Otherwise refused: \"" + message + "\"."; }

void add_patterns(const Field& field, std::vector<std::string>& out) {
  if (!field.prefix_required.empty()) out.push_back("Starts with " + code(field.prefix_required) + ".");
  const auto say = [&](const Pattern& p, std::string_view otherwise) {
    out.push_back(p.message.empty() ? std::string(otherwise) + code(p.pattern) + "."
                                    : refused_with(p.message));
  };
  for (const Pattern& p : field.not_patterns) say(p, "Does not match the Lua pattern ");
  for (const Pattern& p : field.none_patterns) say(p, "Does not match the Lua pattern ");
  for (const Pattern& p : field.patterns) say(p, "Matches the Lua pattern ");
  for (const Pattern& p : field.all_patterns) say(p, "Matches the Lua pattern ");
  if (!field.any_patterns.empty()) out.push_back(refused_with(field.any_message));
  if (field.is_regex) out.emplace_back("A regular expression.");
  if (field.is_uuid) out.emplace_back("A UUID.");
  for (const auto& [format, words] : kFormats)
    if (format == field.format_name && words != field.description_text) out.emplace_back(words);
}

void add_attributes(const Field& field, std::vector<std::string>& out) {
  if (field.is_unique) out.emplace_back("Unique.");
  if (field.is_immutable) out.emplace_back("Cannot be changed.");
  if (field.is_transient) out.emplace_back("Taken, and not stored.");
  if (field.is_referenceable) out.emplace_back("May refer to a secret: `{vault://...}`.");
  if (field.cascades) out.emplace_back("Deleting that deletes this.");
  if (field.deprecation) out.push_back("Deprecated: " + field.deprecation->message + ".");
}

/// What a match of a check says: "is one of `a`, `b`".
std::string match_in_words(const std::vector<Field>& rules) {
  if (rules.empty()) return "is set to anything";
  const Field& rule = rules.front();
  if (rule.has_eq) return is_null(rule.eq_literal) ? "is null" : "is " + code(to_string(rule.eq_literal));
  if (rule.has_ne) return "is not " + code(to_string(rule.ne_literal));
  if (rule.is_required) return "is set";
  if (!rule.allowed.empty()) return "is one of " + list(rule.allowed);
  if (!rule.forbidden.empty()) return "is none of " + list(rule.forbidden);
  if (!rule.contained.empty()) return "has " + code(rule.contained);
  if (rule.length_eq == 0) return "is empty";
  if (!rule.patterns.empty()) return "matches " + code(rule.patterns.front().pattern);
  if (!rule.element.empty()) {
    const Field& each = rule.element.front();
    if (!each.allowed.empty()) return "has nothing but " + list(each.allowed);
    if (!each.forbidden.empty()) return "has none of " + list(each.forbidden);
  }
  std::string text;
  for (const std::string& sentence : rules_in_words(rule)) text += (text.empty() ? "" : " ") + sentence;
  return text.empty() ? "is set to anything" : "is so: " + text;
}

std::string one_of_these(const std::vector<std::string>& names) {
  return (names.size() > 1 ? "at least one of " : "") + list(names) + " is set";
}

}  // namespace

std::string type_in_words(const Field& field) {
  const bool is_list = field.type == FieldType::kArray || field.type == FieldType::kSet;
  if (field.element.empty()) return plain_type(field);
  if (is_list) return plain_type(field) + " of " + many(field.element.front());
  return "map of strings to " + many(field.element.front());
}

std::vector<std::string> rules_in_words(const Field& field) {
  std::vector<std::string> out;
  if (field.has_eq)
    out.push_back(is_null(field.eq_literal) ? "Must be null."
                                            : "Must be " + code(to_string(field.eq_literal)) + ".");
  if (!field.allowed.empty()) out.push_back("One of " + list(field.allowed) + ".");
  if (!field.forbidden.empty()) out.push_back("None of " + list(field.forbidden) + ".");
  add_numbers(field, out);
  add_lengths(field, out);
  add_patterns(field, out);
  for (const auto& subset : field.exclusive_subsets)
    if (subset.size() > 1) out.push_back(list(subset) + " exclude all others.");
  add_attributes(field, out);
  if (!field.element.empty()) {
    std::string each;
    for (const std::string& rule : rules_in_words(field.element.front()))
      each += (each.empty() ? "" : " ") + rule;
    if (!each.empty()) out.push_back("Each: " + each);
  }
  if (!field.key.empty()) {
    std::string each;
    for (const std::string& rule : rules_in_words(field.key.front()))
      each += (each.empty() ? "" : " ") + rule;
    if (!each.empty()) out.push_back("Keys: " + each);
  }
  return out;
}

std::string check_in_words(const EntityCheck& check) {
  using Kind = EntityCheck::Kind;
  switch (check.kind) {
    case Kind::kAtLeastOneOf:
      return "At least one of " + list(check.fields) + " is set.";
    case Kind::kOnlyOneOf:
      return "Exactly one of " + list(check.fields) + " is set.";
    case Kind::kMutuallyRequired:
      return "All of " + list(check.fields) + " are set, or none.";
    case Kind::kMutuallyExclusive:
      return "At most one of " + list(check.fields) + " is set.";
    case Kind::kMutuallyExclusiveSets:
      return "Of " + list(check.fields) + " nothing is set where any of " + list(check.else_fields) + " is.";
    case Kind::kDistinct:
      return "The values of " + list(check.fields) + " differ.";
    case Kind::kConditional:
      return "Where " + code(check.if_field) + " " + match_in_words(check.if_match) + ", " +
             code(check.then_field) + " " + match_in_words(check.then_match) + ".";
    case Kind::kConditionalAtLeastOneOf: {
      std::string text = "Where " + code(check.if_field) + " " + match_in_words(check.if_match) + ", " +
                         one_of_these(check.fields) + ".";
      if (!check.else_match.empty())
        text += " Otherwise, where it " + match_in_words(check.else_match) + ", " +
                one_of_these(check.else_fields) + ".";
      return text;
    }
    case Kind::kCustom:
      return check.fields.size() > 1 ? list(check.fields) + " fit one another." : std::string();
  }
  return {};
}

std::string default_in_words(const Field& field) {
  if (!has_default(field) || field.type == FieldType::kRecord) return {};
  const json::value value = default_of(field);
  return value.is_null() ? std::string() : code(to_text(value));
}

}  // namespace gibbon::schema
