#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gibbon/config_view.hpp"

/// The language in which configuration is declared: entities of the gateway and the `config` record of a plugin
/// alike. A schema is a list of rows, each the name of a field and its rules, written in Kong's words:
///
///     using namespace gibbon::fields;
///     gibbon::Schema schema() {
///       return record({
///           {"log_endpoint", string().default_value("http://localhost:3000/logs").url()},
///           {"timeout", number().default_value(10000).between(0, 2147483646)},
///           {"headers", map(string(), string())},
///       });
///     }
///
/// The rows alone give validation with Kong's messages, defaults, `/schemas/...` and the reference pages.
namespace gibbon {

/// kAny: rules without a type, for the matches of checks alone; the type is that of the field that they look at.
enum class FieldType { kString, kNumber, kInteger, kBoolean, kArray, kSet, kMap, kRecord, kForeign, kJson, kAny };

/// A literal written as JSON, where it is a record, a map or an array of them. It must parse.
struct JsonText {
  std::string text;
};

/// A literal in a schema: a default, or one of the values of one_of().
using Literal = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, std::vector<std::string>,
                             std::vector<std::int64_t>, JsonText>;

/// A pattern (Lua's, as Kong writes them) with the message of its violation; empty: Kong's own message.
struct Pattern {
  std::string pattern;
  std::string message;
};

/// A field that is on its way out. Who sets it to anything but `old_default` is warned with `message`.
struct Deprecation {
  std::string message;
  std::string removal_in_version{};
  std::optional<Literal> old_default{};
};

/// A check of a text that only the schema's author knows: the message of the violation, nothing where all is well.
/// May be called on any thread.
using TextCheck = std::optional<std::string> (*)(std::string_view);

/// The same of a record whose fields are right: the message stands for the record as a whole.
using RecordCheck = std::optional<std::string> (*)(const ConfigView&);

class Field;
struct NamedField;
struct Shorthand;
struct Subschema;

/// A check that looks at several fields of a record at once. Names may be dotted ("config.minute").
struct EntityCheck {
  enum class Kind {
    kAtLeastOneOf, kOnlyOneOf, kMutuallyRequired, kMutuallyExclusive, kMutuallyExclusiveSets, kDistinct, kConditional,
    kConditionalAtLeastOneOf, kCustom
  };
  Kind kind;
  std::vector<std::string> fields{};       ///< All kinds but kConditional: the fields that it looks at (the first set).
  std::string if_field{}, then_field{};    ///< kConditional: when the first field matches, the second must match too.
  std::vector<Field> if_match{};           ///< One element of rules(); none matches always.
  std::vector<Field> then_match{};         ///< kConditional: one element.
  /// kConditionalAtLeastOneOf: where `if_match` fails but `else_match` does not, `else_fields` count.
  std::vector<Field> else_match{};
  std::vector<std::string> else_fields{};  ///< kMutuallyExclusiveSets: the second set.
  std::string message{}, else_message{};   ///< Kong's `then_err` and `else_then_err`; "%s" is the field or the list.
  std::string custom_name{};               ///< kCustom: a check that the host knows by name.
  bool runs_with_missing_fields = false;   ///< kCustom: also where fields are absent,
  bool runs_with_invalid_fields = false;   ///< or wrong.
};

/// One field's type and rules. Built with the functions below, each rule returning the field itself.
class Field {
 public:
  explicit Field(FieldType type) : type(type) {}

  Field& required() { is_required = true; return *this; }
  /// Says in /schemas that the field is not required. It is not anyway; some of Kong's own rows say so.
  Field& optional() { is_optional = true; return *this; }
  Field& default_value(Literal value) { default_literal = std::move(value); has_default = true; return *this; }
  Field& default_value(const char* value) { return default_value(Literal(std::string(value))); }
  Field& default_value(int value) { return default_value(Literal(std::int64_t{value})); }
  Field& default_value(bool value) { return default_value(Literal(value)); }
  /// Records: the default is a record of its rows' defaults, but for the rows that are `left_out`.
  Field& default_of_rows(std::vector<std::string> left_out = {}) {
    has_default_of_rows = true; rows_without_default = std::move(left_out); return *this;
  }
  /// The rules are checked, but /schemas shows neither them nor the description: as Kong's answer.
  Field& unlisted() { is_unlisted = true; return *this; }
  Field& between(double low, double high) { between_low = low; between_high = high; has_between = true; return *this; }
  Field& greater_than(double bound) { gt = bound; has_gt = true; return *this; }
  Field& one_of(std::vector<Literal> values) { allowed = std::move(values); return *this; }
  Field& not_one_of(std::vector<Literal> values) { forbidden = std::move(values); return *this; }
  Field& len_min(std::int64_t n) { length_min = n; return *this; }
  Field& len_max(std::int64_t n) { length_max = n; return *this; }
  Field& len_eq(std::int64_t n) { length_eq = n; return *this; }
  Field& starts_with(std::string prefix) { prefix_required = std::move(prefix); return *this; }
  Field& match(Pattern p) { patterns.push_back(std::move(p)); return *this; }
  Field& not_match(std::string pattern) { not_patterns.push_back({std::move(pattern), {}}); return *this; }
  Field& match_any(std::vector<std::string> ps, std::string message) {
    any_patterns = std::move(ps); any_message = std::move(message); return *this;
  }
  Field& match_none(std::vector<Pattern> ps) { none_patterns = std::move(ps); return *this; }
  Field& match_all(std::vector<Pattern> ps) { all_patterns = std::move(ps); return *this; }
  Field& uuid() { is_uuid = true; return *this; }
  /// A regular expression that compiles.
  Field& regex() { is_regex = true; return *this; }
  Field& timestamp() { is_timestamp = true; return *this; }
  Field& url() { return format("url"); }
  /// Records: a check of kCustom's, whose message stands in the record's place.
  /// A check that the host knows by name: "url", "host", "host_with_optional_port", "name", "path", "regex", ...
  Field& format(std::string name) { format_name = std::move(name); return *this; }
  Field& validated_by(TextCheck check) { text_check = check; return *this; }
  Field& validated_by(RecordCheck check) { record_check = check; return *this; }
  Field& unique() { is_unique = true; return *this; }
  /// Unique, and shown as Kong shows what is unique across its workspaces.
  Field& unique_across_workspaces() { is_unique_across_ws = true; return unique(); }
  Field& automatic() { is_auto = true; return *this; }
  Field& immutable() { is_immutable = true; return *this; }
  Field& referenceable() { is_referenceable = true; return *this; }
  Field& encrypted() { is_encrypted = true; return *this; }
  /// Where it is null, entities are shown without it: for what clients written for Kong do not know.
  Field& hidden_if_null() { is_hidden_if_null = true; return *this; }
  /// A field of inputs alone: it is checked, but not stored.
  Field& transient() { is_transient = true; return *this; }
  Field& deprecated(Deprecation d) { deprecation = std::move(d); return *this; }
  Field& abstract() { is_abstract = true; return *this; }
  Field& description(std::string text) { description_text = std::move(text); return *this; }
  Field& reference(std::string entity) { referenced_entity = std::move(entity); return *this; }
  Field& on_delete_cascade() { cascades = true; return *this; }
  Field& mutually_exclusive_subsets(std::vector<std::vector<std::string>> subsets) {
    exclusive_subsets = std::move(subsets); return *this;
  }
  Field& elements_of(Field element);
  Field& keys_of(Field key);
  Field& fields_of(std::vector<NamedField> named);
  /// A check of the record. Of a plugin's `config`: a check of the plugin's entity, which names its fields
  /// "config.minute" in /schemas and puts its message under "@entity".
  Field& check(EntityCheck c);
  /// The same, but of the `config` record itself: its message stands below `config`.
  Field& own_check(EntityCheck c);
  /// A plugin's `config`: rows that replace those of the plugin's entity: "protocols", "consumer".
  Field& in_entity(std::vector<NamedField> named);
  Field& must_be_null() { return equal(nullptr); }
  Field& not_equal(Literal value) { ne_literal = std::move(value); has_ne = true; return *this; }
  Field& equal(Literal value) { eq_literal = std::move(value); has_eq = true; return *this; }
  Field& contains(std::string value) { contained = std::move(value); return *this; }
  /// Replaces Kong's own message of whatever rule is violated.
  Field& error(std::string message) { error_message = std::move(message); return *this; }
  /// Records: a name that is not a field but is turned into some, by an expansion that the host knows ("url").
  Field& shorthand(std::string name, Field value, std::string expansion);
  /// Records: the former name of the field at `path` ("redis.host"). It is taken where the field itself is not set, and
  /// shown beside it. `value` says what it may be; its deprecation is what users are told.
  Field& renamed(std::string former_name, Field value, std::string path);
  /// Records: rows and checks that apply where `key` (its first known element, for a set) is one of a subschema's
  /// keys. `error` is the message where none is; "%s" is the value.
  Field& subschemas_by(std::string key, std::vector<Subschema> list, std::string error = "unknown type: %s");

  FieldType type;
  bool is_required = false, is_optional = false, has_default = false, has_default_of_rows = false, has_between = false,
       has_gt = false, is_uuid = false, is_regex = false, is_timestamp = false, is_unique = false,
       is_unique_across_ws = false, is_auto = false, is_immutable = false, is_referenceable = false,
       is_encrypted = false, is_transient = false, is_hidden_if_null = false, is_abstract = false, cascades = false,
       has_eq = false, has_ne = false, is_unlisted = false;
  double between_low = 0, between_high = 0, gt = 0;
  std::int64_t length_min = -1, length_max = -1, length_eq = -1;
  Literal default_literal = nullptr, eq_literal = nullptr, ne_literal = nullptr;
  std::vector<Literal> allowed, forbidden;
  std::string prefix_required, format_name, any_message, description_text, referenced_entity, contained,
      error_message, subschema_key, subschema_error;
  std::vector<Pattern> patterns, not_patterns, none_patterns, all_patterns;
  std::vector<std::string> any_patterns, rows_without_default;
  std::optional<Deprecation> deprecation;
  TextCheck text_check = nullptr;
  RecordCheck record_check = nullptr;
  std::vector<std::vector<std::string>> exclusive_subsets;
  std::vector<Field> element;      ///< Arrays, sets: one; maps: the values' field.
  std::vector<Field> key;          ///< Maps: the keys' field, where it has rules.
  std::vector<NamedField> fields;  ///< Records: in the order in which they are shown.
  std::vector<EntityCheck> checks, own_checks;
  std::vector<NamedField> entity_rows;  ///< See in_entity().
  std::vector<Shorthand> shorthands;
  std::vector<Subschema> subschemas;
};

/// A row of a record.
struct NamedField {
  std::string name;
  Field field;
};

/// See Field::shorthand() and Field::renamed().
struct Shorthand {
  std::string name;
  Field value;
  std::string expansion;  ///< Of a shorthand.
  std::string path{};     ///< Of a renamed field.
};

/// See Field::subschemas_by(). A row here replaces the record's own row of that name.
struct Subschema {
  std::vector<std::string> keys;
  std::vector<NamedField> fields;
  std::vector<EntityCheck> checks;
};

inline Field& Field::elements_of(Field e) { element.assign(1, std::move(e)); return *this; }
inline Field& Field::keys_of(Field k) { key.assign(1, std::move(k)); return *this; }
inline Field& Field::fields_of(std::vector<NamedField> named) { fields = std::move(named); return *this; }
inline Field& Field::check(EntityCheck c) { checks.push_back(std::move(c)); return *this; }
inline Field& Field::own_check(EntityCheck c) { own_checks.push_back(std::move(c)); return *this; }
inline Field& Field::in_entity(std::vector<NamedField> named) { entity_rows = std::move(named); return *this; }
inline Field& Field::shorthand(std::string name, Field value, std::string expansion) {
  shorthands.push_back({std::move(name), std::move(value), std::move(expansion)});
  return *this;
}
inline Field& Field::renamed(std::string former_name, Field value, std::string path) {
  shorthands.push_back({std::move(former_name), std::move(value), {}, std::move(path)});
  return *this;
}
inline Field& Field::subschemas_by(std::string key, std::vector<Subschema> list, std::string error) {
  subschema_key = std::move(key);
  subschemas = std::move(list);
  subschema_error = std::move(error);
  return *this;
}

/// A record that stands on its own: an entity, or a plugin's `config`.
using Schema = Field;

/// Builders of rows: `using namespace gibbon::fields;` in a schema.cpp.
namespace fields {

inline Field string() { return Field(FieldType::kString); }
inline Field number() { return Field(FieldType::kNumber); }
inline Field integer() { return Field(FieldType::kInteger); }
inline Field boolean() { return Field(FieldType::kBoolean); }
inline Field array(Field element) { Field f(FieldType::kArray); f.elements_of(std::move(element)); return f; }
inline Field set(Field element) { Field f(FieldType::kSet); f.elements_of(std::move(element)); return f; }
inline Field map(Field key, Field value) {
  Field f(FieldType::kMap); f.elements_of(std::move(value)); f.keys_of(std::move(key)); return f;
}
inline Field record(std::vector<NamedField> rows) {
  Field f(FieldType::kRecord); f.fields_of(std::move(rows)); return f;
}
/// Any JSON value.
inline Field any_json() { return Field(FieldType::kJson); }
/// Rules without a type: see EntityCheck.
inline Field rules() { return Field(FieldType::kAny); }
inline Field foreign(std::string entity) { Field f(FieldType::kForeign); f.reference(std::move(entity)); return f; }

}  // namespace fields
}  // namespace gibbon
