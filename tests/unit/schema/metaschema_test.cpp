#include "schema/metaschema.hpp"

#include <gtest/gtest.h>

namespace gibbon::schema {
namespace {

using namespace gibbon::fields;
using Kind = EntityCheck::Kind;

TEST(Metaschema, FindsWhatAnAuthorGotWrong) {
  const std::pair<Schema, const char*> cases[] = {
      {string(), "a schema is a record"},
      {record({{"", string()}}), "a row has no name"},
      {record({{"a", string()}, {"a", string()}}), "a: there are two rows of this name"},
      {record({{"a", rules()}}), "a: it has no type"},
      {record({{"a", Field(FieldType::kArray)}}), "a: it does not say what its elements are"},
      {record({{"a", Field(FieldType::kMap)}}), "a: it does not say what its keys and values are"},
      {record({{"a", foreign("")}}), "a: it does not say what it refers to"},
      {record({{"a", string().between(1, 2)}}), "a: fields of its type have no 'between'"},
      {record({{"a", integer().uuid()}}), "a: fields of its type have no 'uuid'"},
      {record({{"a", array(integer().match({"x", ""}))}}), "a[]: fields of its type have no 'match'"},
      {record({{"r", record({{"a", boolean().unique()}})}}), "r.a: fields of its type have no 'unique'"},
      {record({{"a", string().format("nope")}}), "a: there is no format 'nope'"},
      {record({{"a", integer().default_value("x")}}),
       "a: its own rules refuse its default: \"expected an integer\""},
      {record({{"a", string().one_of({"x"}).default_value("y")}}),
       "a: its own rules refuse its default: \"expected one of: x\""},
      {record({{"a", map(string(), string()).default_value(JsonText{"{"})}}), "a: its default is no JSON"},
      {record({{"a", string().description(std::string(501, 'x'))}}),
       "a: its description is longer than 500 characters"},
      {record({{"a", string()}}).check({.kind = Kind::kAtLeastOneOf, .fields = {"a", "r.b"}}),
       "a check looks at 'r.b', which is no field"},
      {record({{"a", string()}}).check({.kind = Kind::kCustom, .fields = {"a"}, .custom_name = "nope"}),
       "there is no check 'nope'"},
      {record({{"a", string()}}).check({.kind = Kind::kDistinct}), "a check looks at no field"},
      {record({{"a", string()}}).renamed("old", string(), "r.b"), "old: there is no field 'r.b'"},
      {record({{"a", string()}}).shorthand("a", string(), "url"), "a: a row has this name too"},
      {record({{"a", string()}}).subschemas_by("kind", {}),
       "there is no field 'kind' to choose a subschema by"},
  };
  for (const auto& [schema, mistake] : cases)
    EXPECT_EQ(mistakes_in(schema), std::vector<std::string>{mistake}) << mistake;
}

TEST(Metaschema, TakesWhatIsRight) {
  const Schema schema = record({{"a", string().len_min(0).default_value("")},
                                {"r", record({{"b", integer().default_value(1)}}).default_of_rows()},
                                {"n", integer().default_value(Literal(nullptr)).between(0, 5)}})
                            .check({.kind = Kind::kDistinct, .fields = {"a", "r.b"}})
                            .renamed("old", integer(), "r.b");
  EXPECT_EQ(mistakes_in(schema), std::vector<std::string>{});
}

}  // namespace
}  // namespace gibbon::schema
