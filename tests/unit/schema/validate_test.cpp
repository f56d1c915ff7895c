#include "schema/validate.hpp"

#include "../support/cases.hpp"

namespace gibbon::schema {
namespace {

using namespace gibbon::fields;
using Kind = EntityCheck::Kind;
using test::object_of;

/// The violations' `fields` of a new entity; "{}" where there are none.
json::value violations_of(const Schema& schema, std::string_view input) {
  return check_insert(schema, object_of(input)).violations.fields;
}

std::optional<std::string> refuse_b(std::string_view text) {
  if (text == "b") return "not b, please";
  return {};
}

TEST(Validators, SpeakKongsWords) {
  const struct {
    Field field;
    std::string_view value;
    std::string_view message;  ///< Empty: the value is right.
  } cases[] = {
      {string(), "5", "expected a string"},
      {string(), R"("")", "length must be at least 1"},
      {string().len_min(0), R"("")", ""},
      {string().len_min(3), R"("ab")", "length must be at least 3"},
      {string().len_max(3), R"("abcd")", "length must be at most 3"},
      {string().len_eq(3), R"("abcd")", "length must be 3"},
      {string().starts_with("/"), R"("a")", "should start with: /"},
      {string().match({"^%d+$", ""}), R"("a1")", "invalid value: a1"},
      {string().match({"^%d+$", "digits, please"}), R"("a1")", "digits, please"},
      {string().match({"^%d+$", ""}).error("no"), R"("a1")", "no"},
      {string().match_any({"^a", "b$"}, "a or b"), R"("xx")", "a or b"},
      {string().match_any({"^a", "b$"}, "a or b"), R"("xb")", ""},
      {string().match_none({{"x", "no x"}}), R"("axb")", "no x"},
      {string().not_match("x"), R"("axb")", "invalid value: axb"},
      {string().not_match("x"), R"("ab")", ""},
      {string().regex(), R"("a(")", "not a valid regex: a("},
      {string().regex(), R"("a[b]")", ""},
      {string().validated_by(refuse_b), R"("b")", "not b, please"},
      {string().validated_by(refuse_b), R"("a")", ""},
      {string(), R"("a\u0000b")", "invalid NUL character detected at position 2"},
      {map(string(), string()), R"({"a\u0000": "b"})", "invalid NUL character detected at position 2"},
      {string().match_all({{"a", "needs a"}, {"b", "needs b"}}), R"("a")", "needs b"},
      {string().uuid(), R"("x")", "expected a valid UUID"},
      {string().uuid(), R"("AAAAAAAA-1111-4111-8111-111111111111")", ""},
      {string().one_of({"a", "b"}), R"("c")", "expected one of: a, b"},
      {string().not_one_of({"a", "b"}), R"("b")", "must not be one of: a, b"},
      {string().equal(std::string("a")), R"("b")", "value must be a"},
      {string().not_equal(std::string("a")), R"("a")", "value must not be a"},
      {string().referenceable().url(), R"("{vault://env/endpoint}")", ""},
      {string().url(), R"("{vault://env/endpoint}")", "missing host in url"},
      {string().url(), R"("http://h:80/p?q")", ""},
      {string().url(), R"("//h")", "missing scheme in url"},
      {number(), R"("5")", "expected a number"},
      {number().between(0, 10), "11", "value should be between 0 and 10"},
      {number().between(0.001, 10), "0", "value should be between 0 and 10"},
      {number().between(0, 10), "10.0", ""},
      {number().greater_than(0), "0", "value must be greater than 0"},
      {number().greater_than(0.5), "0.5", "value must be greater than 0.5"},
      {number().one_of({1, 2}), "3", "expected one of: 1, 2"},
      {number().one_of({1, 2}), "2.0", ""},
      {number().one_of({1, 2}), "1.5", "expected one of: 1, 2"},
      {number().not_equal(5), "5.0", "value must not be 5"},
      {number(), "1e308", ""},
      {boolean(), R"("true")", "expected a boolean"},
      {boolean().equal(Literal(true)), "false", "value must be true"},
      {integer(), R"("5")", "expected an integer"},
      {integer(), "5.5", "expected an integer"},
      {integer(), "1e300", ""},
      {integer(), "18446744073709551615", ""},
      {integer().timestamp(), "0", "expected a valid timestamp"},
      {boolean(), "1", "expected a boolean"},
      {array(string()), R"("a")", "expected an array"},
      {array(string()), R"({"a": 1})", "expected an array"},
      {array(string()).len_min(2), R"(["a"])", "length must be at least 2"},
      {set(string()).contains("a"), R"(["b"])", "expected to contain: a"},
      {map(string(), string()), R"("a")", "expected a map"},
      {map(string(), string()), R"({"a": 1})", "expected a string"},
      {map(string(), string()), R"({"a": null})", "required field missing"},
      {map(string().len_max(1), string()), R"({"ab": "x"})", "length must be at most 1"},
      {map(string(), string()).len_max(1), R"({"a": "x", "b": "x"})", "length must be at most 1"},
      {record({}), "5", "expected a record"},
      {string().required(), "null", "required field missing"},
      {string().not_equal(nullptr), "null", "value must not be null"},
      {string().must_be_null(), R"("a")", "value must be null"},
      {string(), "null", ""},
      {any_json(), R"({"any": ["thing"]})", ""},
      {any_json().required(), "null", "required field missing"},
      {foreign("services"), R"({"id": "11111111-1111-4111-8111-111111111111"})", ""},
  };
  for (const auto& c : cases) {
    const json::value found =
        violations_of(record({{"f", c.field}}), R"({"f": )" + std::string(c.value) + "}");
    const json::value wanted = c.message.empty() ? json::object() : json::object{{"f", c.message}};
    EXPECT_EQ(found, wanted) << c.value << " / " << c.message;
  }
}

TEST(EntityChecks, LookAtSeveralFields) {
  const auto with = [](EntityCheck check) {
    return record({{"a", string()}, {"b", string()}, {"c", record({{"d", string()}})}})
        .check(std::move(check));
  };
  const auto conditional = [](Field if_match, Field then_match) {
    return EntityCheck{.kind = Kind::kConditional,
                       .if_field = "a",
                       .then_field = "b",
                       .if_match = {std::move(if_match)},
                       .then_match = {std::move(then_match)}};
  };
  const struct {
    EntityCheck check;
    std::string_view input, violations;
  } cases[] = {
      {{.kind = Kind::kAtLeastOneOf, .fields = {"a", "c.d"}},
       R"({"b": "x"})",
       R"({"@entity": ["at least one of these fields must be non-empty: 'a', 'c.d'"]})"},
      {{.kind = Kind::kAtLeastOneOf, .fields = {"a", "c.d"}}, R"({"c": {"d": "x"}})", "{}"},
      {{.kind = Kind::kOnlyOneOf, .fields = {"a", "b"}},
       R"({"a": "x", "b": "y"})",
       R"({"@entity": ["exactly one of these fields must be non-empty: 'a', 'b'"]})"},
      {{.kind = Kind::kOnlyOneOf, .fields = {"a", "b"}},
       "{}",
       R"({"@entity": ["exactly one of these fields must be non-empty: 'a', 'b'"]})"},
      {{.kind = Kind::kOnlyOneOf, .fields = {"a", "b"}}, R"({"b": "y"})", "{}"},
      {{.kind = Kind::kMutuallyRequired, .fields = {"a", "b"}},
       R"({"a": "x"})",
       R"({"@entity": ["all or none of these fields must be set: 'a', 'b'"]})"},
      {{.kind = Kind::kMutuallyRequired, .fields = {"a", "b"}}, "{}", "{}"},
      {{.kind = Kind::kMutuallyRequired, .fields = {"a", "b"}},
       R"({"a": 5})",
       R"({"a": "expected a string"})"},
      {{.kind = Kind::kMutuallyExclusiveSets, .fields = {"a", "b"}, .else_fields = {"c.d"}},
       R"({"a": "x", "c": {"d": "y"}})",
       R"-({"@entity": ["these sets are mutually exclusive: ('a'), ('c.d')"]})-"},
      {{.kind = Kind::kMutuallyExclusiveSets, .fields = {"a", "b"}, .else_fields = {"c.d"}},
       R"({"a": "x", "b": "y"})",
       "{}"},
      {{.kind = Kind::kMutuallyExclusiveSets, .fields = {"a"}, .else_fields = {"b"}},
       R"({"a": 5, "b": "y"})",
       R"({"a": "expected a string"})"},
      {{.kind = Kind::kMutuallyExclusive, .fields = {"a", "b"}},
       R"({"a": "x", "b": "y"})",
       R"({"@entity": ["only one or none of these fields must be set: 'a', 'b'"]})"},
      {{.kind = Kind::kDistinct, .fields = {"a", "b"}},
       R"({"a": "x", "b": "x"})",
       R"({"@entity": ["values of these fields must be distinct: 'a', 'b'"]})"},
      {{.kind = Kind::kDistinct, .fields = {"a", "b"}}, R"({"a": "x"})", "{}"},
      {conditional(rules().equal(std::string("x")), rules().required()), R"({"a": "x"})",
       R"({"b": "required field missing", "@entity": ["failed conditional validation given value of field 'a'"]})"},
      {conditional(rules().equal(std::string("x")), rules().required()), R"({"a": "y"})", "{}"},
      {conditional(rules().match({"^x", ""}), rules().one_of({"p", "q"})), R"({"a": "xx", "b": "r"})",
       R"({"b": "expected one of: p, q", "@entity": ["failed conditional validation given value of field 'a'"]})"},
      {conditional(rules().not_one_of({"x"}), rules().required()), R"({"a": 5})",
       R"({"a": "expected a string"})"},
      {{.kind = Kind::kCustom, .fields = {"a"}, .custom_name = "nobody knows"},
       R"({"a": "x"})",
       R"({"@entity": ["failed entity check: nobody knows"]})"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(violations_of(with(c.check), c.input), json::parse(c.violations)) << c.input;
}

TEST(EntityChecks, LeaveReferencesToSecretsAlone) {
  const Schema schema = record({{"a", string().referenceable()}, {"b", string()}})
                            .check({.kind = Kind::kMutuallyRequired, .fields = {"a", "b"}});
  EXPECT_EQ(violations_of(schema, R"({"a": "{vault://env/a}"})"), json::parse("{}"));
  EXPECT_NE(violations_of(schema, R"({"a": "x"})"), json::parse("{}"));
}

Schema nested() {
  return record(
      {{"id", string().uuid().automatic()},
       {"created_at", integer().timestamp().automatic()},
       {"updated_at", number().timestamp().automatic()},
       {"host", string().required().immutable()},
       {"list", set(string())},
       {"map", map(string(), number())},
       {"config", record({{"size", integer().default_value(7)},
                          {"queue", record({{"depth", number().default_value(Literal(0.5))}}).required()},
                          {"extra", record({{"on", boolean().default_value(true)}})}})
                      .required()}});
}

TEST(Validators, ReportEveryPartOfANestedShape) {
  const Schema schema = record({
      {"sets", set(array(integer()))},
      {"maps", map(string(), map(string().len_max(2), integer()))},
      {"records",
       array(record({{"n", integer().required()}, {"deep", record({{"on", boolean()}}).required()}}))},
      {"service", foreign("services")},
      {"byte", string()},
  });
  EXPECT_EQ(violations_of(schema, R"({"sets": [[1], ["x", 2], 3], "maps": {"a": {"b": 1}, "c": {"def": 1}},
      "records": [{"n": 1}, {"deep": {"on": 1, "off": 2}}, 5], "service": {"name": "s"}, "more": 1})"),
            json::parse(R"({"sets": [null, ["expected an integer"], "expected an array"],
      "maps": "length must be at most 2",
      "records": [null, {"n": "required field missing", "deep": {"on": "expected a boolean", "off": "unknown field"}},
                  "expected a record"],
      "service": {"id": "missing primary key"}, "more": "unknown field"})"));
  const json::object bytes{{"byte", "a\xff"}};
  EXPECT_EQ(json::value(check_insert(schema, bytes).violations.fields),
            json::parse(R"({"byte": "invalid utf-8 character sequence detected at position 2"})"));
}

Schema with_former_names() {
  return record(
             {
                 {"redis", record({{"host", string()}, {"port", integer().default_value(6379)}}).required()},
                 {"old", integer().deprecated({"old is deprecated", "4.0", Literal(std::int64_t{10})})},
             })
      .renamed("redis_host", string().deprecated({"redis_host is deprecated", "4.0"}), "redis.host")
      .renamed("redis_port", integer(), "redis.port");
}

TEST(FormerNames, AreTakenAndShown) {
  const struct {
    std::string_view input, redis;
  } cases[] = {
      {R"({"redis_host": "a"})", R"({"host": "a", "port": 6379})"},
      {R"({"redis_host": "a", "redis_port": 1})", R"({"host": "a", "port": 1})"},
      {R"({"redis_host": "a", "redis": {"host": "a"}})", R"({"host": "a", "port": 6379})"},
      {R"({"redis_host": "a", "redis": {"host": null, "port": 2}})", R"({"host": "a", "port": 2})"},
      {R"({"redis_host": null, "redis": {"host": "b"}})", R"({"host": "b", "port": 6379})"},
      {R"({"redis_port": 5.0, "redis": {"port": 5}})", R"({"host": null, "port": 5})"},
      {"{}", R"({"host": null, "port": 6379})"},
  };
  for (const auto& c : cases) {
    const Checked checked = check_insert(with_former_names(), object_of(c.input));
    ASSERT_TRUE(checked.ok()) << c.input << checked.violations.message();
    const json::value redis = json::parse(c.redis);
    EXPECT_EQ(checked.entity.at("redis"), redis) << c.input;
    EXPECT_EQ(checked.entity.at("redis_host"), redis.at("host")) << c.input;
    EXPECT_EQ(checked.entity.at("redis_port"), redis.at("port")) << c.input;
  }
}

TEST(FormerNames, FollowAChange) {
  const json::object stored = check_insert(with_former_names(), object_of(R"({"redis_host": "a"})")).entity;
  const auto changed = [&](std::string_view patch) {
    const Checked checked = check_update(with_former_names(), stored, object_of(patch));
    EXPECT_TRUE(checked.ok()) << checked.violations.message();
    return checked.entity;
  };
  EXPECT_EQ(changed(R"({"redis": {"host": "b"}})").at("redis_host"), "b");
  EXPECT_EQ(changed(R"({"redis_host": "c"})").at("redis"), json::parse(R"({"host": "c", "port": 6379})"));
  EXPECT_EQ(changed(R"({"redis_host": null})").at("redis"), json::parse(R"({"host": null, "port": 6379})"));
}

TEST(FormerNames, MayNotContradict) {
  EXPECT_EQ(
      violations_of(with_former_names(), R"({"redis_host": "a", "redis": {"host": "b"}})"),
      json::parse(R"({"redis_host": "both deprecated and new field are used but their values mismatch: )"
                  R"(redis_host = a vs redis.host = b"})"));
  EXPECT_EQ(violations_of(with_former_names(), R"({"redis_port": "a"})"),
            json::parse(R"({"redis_port": "expected an integer"})"));
  EXPECT_EQ(violations_of(with_former_names(), R"({"redis_host": "a", "redis": 5})"),
            json::parse(R"({"redis": "expected a record"})"));
}

TEST(Deprecation, IsWarnedOf) {
  const auto warnings = [](std::string_view input) {
    return check_insert(with_former_names(), object_of(input)).warnings;
  };
  EXPECT_EQ(warnings(R"({"old": 10, "redis_port": 1})"), std::vector<std::string>{});
  EXPECT_EQ(warnings(R"({"old": 11, "redis_host": "a"})"),
            (std::vector<std::string>{"old is deprecated", "redis_host is deprecated"}));
}

TEST(Defaults, MayBeRecords) {
  const Schema schema = record({
      {"of_rows",
       record({{"a", integer().default_value(1)}, {"b", integer().default_value(2)}, {"c", string()}})
           .default_of_rows({"b"})},
      {"metrics", array(record({{"name", string()}})).default_value(JsonText{R"([{"name": "x"}])"})},
      {"map", map(string(), string()).default_value(JsonText{R"({"k": "v"})"})},
  });
  const json::object entity = check_insert(schema, {}).entity;
  EXPECT_EQ(entity.at("of_rows"), json::parse(R"({"a": 1})"));
  EXPECT_EQ(entity.at("metrics"), json::parse(R"([{"name": "x"}])"));
  EXPECT_EQ(entity.at("map"), json::parse(R"({"k": "v"})"));
  EXPECT_EQ(check_insert(schema, object_of(R"({"of_rows": {"c": "x"}})")).entity.at("of_rows"),
            json::parse(R"({"a": 1, "b": 2, "c": "x"})"));
}

TEST(Insert, FillsWhatIsMissing) {
  const Checked checked = check_insert(nested(), object_of(R"({"host": "h", "list": ["a", "b", "a"],
      "map": {"x": 2.0}, "config": {"extra": {}}})"));
  ASSERT_TRUE(checked.ok()) << checked.violations.message();
  EXPECT_EQ(checked.entity.at("config"),
            json::parse(R"({"size": 7, "queue": {"depth": 0.5}, "extra": {"on": true}})"));
  EXPECT_EQ(checked.entity.at("list"), json::parse(R"(["a", "b"])"));
  EXPECT_TRUE(checked.entity.at("map").at("x").is_int64());
  EXPECT_EQ(checked.entity.at("id").as_string().size(), 36U);
  EXPECT_GT(checked.entity.at("created_at").as_int64(), 1600000000);
  EXPECT_EQ(checked.entity.begin()->key(), "id") << "fields come in the schema's order";
}

TEST(Insert, LeavesOptionalRecordsNull) {
  const Checked checked = check_insert(nested(), object_of(R"({"host": "h"})"));
  EXPECT_EQ(checked.entity.at("config"),
            json::parse(R"({"size": 7, "queue": {"depth": 0.5}, "extra": null})"));
  EXPECT_TRUE(checked.entity.at("map").is_null());
}

TEST(Update, MergesRecordsAndReplacesTheRest) {
  json::object stored = check_insert(nested(), object_of(R"({"host": "h", "list": ["a"], "map": {"x": 1},
      "config": {"size": 1, "queue": {"depth": 2}, "extra": {"on": false}}})"))
                            .entity;
  stored["created_at"] = 1600000000;
  stored["updated_at"] = 1600000000;
  const Checked checked =
      check_update(nested(), stored, object_of(R"({"id": "other", "list": ["b"], "map": {"y": 2},
      "config": {"queue": {"depth": 3}, "extra": null}})"));
  ASSERT_TRUE(checked.ok()) << checked.violations.message();
  EXPECT_EQ(checked.entity.at("config"), json::parse(R"({"size": 1, "queue": {"depth": 3}, "extra": null})"));
  EXPECT_EQ(checked.entity.at("list"), json::parse(R"(["b"])"));
  EXPECT_EQ(checked.entity.at("map"), json::parse(R"({"y": 2})"));
  EXPECT_EQ(checked.entity.at("id"), stored.at("id"));
  EXPECT_EQ(checked.entity.at("created_at"), 1600000000);
  EXPECT_GT(checked.entity.at("updated_at").to_number<double>(), 1600000000);
}

TEST(Update, RefusesWhatAnInsertWouldRefuse) {
  const json::object stored = check_insert(nested(), object_of(R"({"host": "h"})")).entity;
  const auto violations = [&](std::string_view patch) {
    return json::value(check_update(nested(), stored, object_of(patch)).violations.fields);
  };
  EXPECT_EQ(violations(R"({"host": "other"})"),
            json::parse(R"({"host": "immutable field cannot be updated"})"));
  EXPECT_EQ(violations(R"({"host": "h"})"), json::parse("{}"));
  EXPECT_EQ(violations(R"({"config": null})"), json::parse(R"({"config": "required field missing"})"));
  EXPECT_EQ(violations(R"({"config": {"size": "x", "bogus": 1}})"),
            json::parse(R"({"config": {"size": "expected an integer", "bogus": "unknown field"}})"));
  EXPECT_EQ(violations(R"({"bogus": null})"), json::parse(R"({"bogus": "unknown field"})"));
}

TEST(Update, SaysSoInChecks) {
  const Schema schema =
      record({{"a", string()}, {"b", string()}}).check({.kind = Kind::kAtLeastOneOf, .fields = {"a", "b"}});
  EXPECT_EQ(check_update(schema, object_of(R"({"a": "x", "b": null})"), object_of(R"({"a": null})"))
                .violations.message(),
            "schema violation (when updating, at least one of these fields must be non-empty: 'a', 'b')");
}

TEST(Upsert, KeepsTheIdAlone) {
  const json::object stored =
      object_of(R"({"id": "11111111-1111-4111-8111-111111111111", "created_at": 1600000000,
      "host": "h", "list": ["a"]})");
  const Checked checked = check_upsert(nested(), object_of(R"({"host": "h2"})"), &stored);
  ASSERT_TRUE(checked.ok());
  EXPECT_EQ(checked.entity.at("id"), stored.at("id"));
  EXPECT_TRUE(checked.entity.at("list").is_null());
  EXPECT_GT(checked.entity.at("created_at").as_int64(), 1600000000);
}

TEST(Complete, GivesAnOlderEntityItsNewFields) {
  const json::object entity = complete(nested(), object_of(R"({"host": "h", "config": null, "gone": 1})"));
  EXPECT_EQ(entity.at("config"), json::parse(R"({"size": 7, "queue": {"depth": 0.5}, "extra": null})"));
  EXPECT_FALSE(entity.contains("gone"));
  EXPECT_TRUE(entity.at("id").is_null()) << "nothing automatic is made";
}

TEST(HiddenIfNull, FieldsAreShownWhereTheyAreSet) {
  using namespace gibbon::fields;
  const Schema schema = record({{"a", string()}, {"extra", string().hidden_if_null()}});
  const json::object without = check_insert(schema, {}).entity;
  EXPECT_EQ(without, (json::object{{"a", nullptr}}));
  const json::object with = check_update(schema, without, {{"extra", "x"}}).entity;
  EXPECT_EQ(with, (json::object{{"a", nullptr}, {"extra", "x"}}));
  EXPECT_EQ(check_update(schema, with, {{"a", "y"}}).entity, (json::object{{"a", "y"}, {"extra", "x"}}));
  EXPECT_EQ(check_update(schema, with, {{"extra", nullptr}}).entity, without);
  EXPECT_EQ(check_upsert(schema, {}, &with).entity, without);
}

}  // namespace
}  // namespace gibbon::schema
