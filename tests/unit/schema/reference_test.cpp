#include "schema/reference.hpp"

#include <gtest/gtest.h>

#include "schema/words.hpp"

namespace gibbon::schema {
namespace {

using namespace gibbon::fields;
using Kind = EntityCheck::Kind;

TEST(Words, NameTypes) {
  const std::pair<Field, const char*> cases[] = {
      {string(), "string"},
      {set(string()), "set of strings"},
      {array(array(integer())), "array of arrays of integers"},
      {map(string(), array(boolean())), "map of strings to arrays of booleans"},
      {set(record({})), "set of records"},
      {foreign("ca_certificates"), "reference to a ca_certificate"},
      {any_json(), "any JSON"},
  };
  for (const auto& [field, words] : cases) EXPECT_EQ(type_in_words(field), words);
}

std::string rules_of(const Field& field) {
  std::string text;
  for (const std::string& rule : rules_in_words(field)) text += (text.empty() ? "" : " ") + rule;
  return text;
}

TEST(Words, SayRules) {
  const std::pair<Field, const char*> cases[] = {
      {integer().between(0, 65535), "From 0 to 65535."},
      {number().greater_than(0.5), "Greater than 0.5."},
      {string().one_of({"a", "b"}), "One of `a`, `b`."},
      {string().not_one_of({"env"}), "None of `env`."},
      {string().len_min(0).len_max(1), "May be empty. At most 1 byte."},
      {string().starts_with("/").match_none({{"//", "no empty segments"}}),
       "Starts with `/`. Otherwise refused: \"no empty segments\"."},
      {string().match({"^%u+$", {}}), "Matches the Lua pattern `^%u+$`."},
      {string().uuid().unique().immutable(), "A UUID. Unique. Cannot be changed."},
      {string().url().referenceable(),
       "A URL with a scheme and a host. May refer to a secret: `{vault://...}`."},
      {set(string().format("tag")).len_min(1),
       "At least 1 element. Each: Printable characters but for `,` and `/`."},
      {map(string().format("header_name"), string()), "Keys: Letters, digits, `-` and `_`."},
      {integer().deprecated({"use the other one", "4.0"}), "Deprecated: use the other one."},
      {foreign("consumers").must_be_null(), "Must be null."},
  };
  for (const auto& [field, words] : cases) EXPECT_EQ(rules_of(field), words);
}

TEST(Words, SayChecks) {
  const std::pair<EntityCheck, const char*> cases[] = {
      {{.kind = Kind::kAtLeastOneOf, .fields = {"a", "b"}}, "At least one of `a`, `b` is set."},
      {{.kind = Kind::kOnlyOneOf, .fields = {"a", "b"}}, "Exactly one of `a`, `b` is set."},
      {{.kind = Kind::kMutuallyRequired, .fields = {"a", "b"}}, "All of `a`, `b` are set, or none."},
      {{.kind = Kind::kMutuallyExclusiveSets, .fields = {"a"}, .else_fields = {"b"}},
       "Of `a` nothing is set where any of `b` is."},
      {{.kind = Kind::kConditional,
        .if_field = "a",
        .then_field = "b",
        .if_match = {rules().one_of({"x"})},
        .then_match = {rules().must_be_null()}},
       "Where `a` is one of `x`, `b` is null."},
      {{.kind = Kind::kConditional,
        .if_field = "a",
        .then_field = "b",
        .if_match = {rules().elements_of(string().not_one_of({"x", "y"}))},
        .then_match = {rules().len_eq(0)}},
       "Where `a` has none of `x`, `y`, `b` is empty."},
      {{.kind = Kind::kConditionalAtLeastOneOf,
        .fields = {"b"},
        .if_field = "a",
        .if_match = {rules().contains("x")}},
       "Where `a` has `x`, `b` is set."},
      {{.kind = Kind::kCustom, .fields = {"a", "b"}, .custom_name = "x"}, "`a`, `b` fit one another."},
      {{.kind = Kind::kCustom, .fields = {"a"}, .custom_name = "x"}, ""},
  };
  for (const auto& [check, words] : cases) EXPECT_EQ(check_in_words(check), words);
}

TEST(Reference, HasALineForEachField) {
  const Schema config = record({{"size", integer().default_value(5).description("How much.")},
                                {"to", string().required().one_of({"a|b"})},
                                {"queue", record({{"depth", number()}}).required()}})
                            .check({.kind = Kind::kAtLeastOneOf, .fields = {"size", "to"}})
                            .renamed("depth", number().deprecated({"moved", "4.0"}), "queue.depth");
  EXPECT_EQ(reference_of_plugin(config),
            "| field | type | required | default | what it is |\n"
            "| --- | --- | --- | --- | --- |\n"
            "| `config.size` | integer |  | `5` | How much. |\n"
            "| `config.to` | string | yes |  | One of `a\\|b`. |\n"
            "| `config.queue` | record |  |  |  |\n"
            "| `config.queue.depth` | number |  |  |  |\n"
            "| `config.depth` | number | | | The former name of `config.queue.depth`. Deprecated: moved. |\n"
            "\nWhat must hold:\n\n"
            "- At least one of `config.size`, `config.to` is set.\n");
}

}  // namespace
}  // namespace gibbon::schema
