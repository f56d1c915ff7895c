#include "schema/form.hpp"

#include "../support/cases.hpp"
#include "schema/validate.hpp"

namespace gibbon::schema {
namespace {

using namespace gibbon::fields;
using Form = std::vector<std::pair<std::string, std::string>>;

Schema sample() {
  return record({
                    {"name", string()},
                    {"port", integer()},
                    {"rate", number()},
                    {"enabled", boolean()},
                    {"tags", set(string())},
                    {"ports", array(integer())},
                    {"headers", map(string(), array(string()))},
                    {"limits", map(string(), integer())},
                    {"sources", set(record({{"ip", string()}, {"port", integer()}}))},
                    {"service", foreign("services")},
                    {"config", record({{"timeout", number()},
                                       {"queue", record({{"size", integer()}})},
                                       {"on", boolean()}})},
                })
      .shorthand("url", string(), "url");
}

TEST(Form, BecomesWhatTheSchemaWants) {
  const struct {
    Form form;
    std::string_view json;
  } cases[] = {
      {{}, "{}"},
      {{{"name", "a"}}, R"({"name": "a"})"},
      {{{"name", "5"}}, R"({"name": "5"})"},
      {{{"port", "80"}}, R"({"port": 80})"},
      {{{"port", " 0x50 "}}, R"({"port": 80})"},
      {{{"port", "80x"}}, R"({"port": "80x"})"},
      {{{"port", "nan"}}, R"({"port": "nan"})"},
      {{{"port", "infinity"}}, R"({"port": "infinity"})"},
      {{{"rate", "0.5"}}, R"({"rate": 0.5})"},
      {{{"rate", "1e3"}}, R"({"rate": 1000})"},
      {{{"enabled", "true"}}, R"({"enabled": true})"},
      {{{"enabled", "false"}}, R"({"enabled": false})"},
      {{{"enabled", "1"}}, R"({"enabled": "1"})"},
      {{{"enabled", ""}, {"tags", ""}}, R"({"enabled": null, "tags": null})"},
      {{{"unknown", ""}}, R"({"unknown": ""})"},
      {{{"unknown.a", "1"}}, R"({"unknown": {"a": "1"}})"},
      {{{"tags", "a"}}, R"({"tags": ["a"]})"},
      {{{"tags", "a"}, {"tags", "b"}}, R"({"tags": ["a", "b"]})"},
      {{{"tags[]", "a"}, {"tags[]", "b"}}, R"({"tags": ["a", "b"]})"},
      {{{"tags[2]", "b"}, {"tags[1]", "a"}}, R"({"tags": ["a", "b"]})"},
      {{{"tags[3]", "b"}, {"tags[1]", "a"}}, R"({"tags": {"3": "b", "1": "a"}})"},
      {{{"ports[]", "1"}, {"ports[]", "x"}}, R"({"ports": [1, "x"]})"},
      {{{"headers.x-a", "1"}}, R"({"headers": {"x-a": ["1"]}})"},
      {{{"headers.x-a[]", "1"}, {"headers.x-a[]", "2"}}, R"({"headers": {"x-a": ["1", "2"]}})"},
      {{{"headers[x.y]", "1"}}, R"({"headers": {"x.y": ["1"]}})"},
      {{{"limits.a", "1"}, {"limits.b", "x"}}, R"({"limits": {"a": 1, "b": "x"}})"},
      {{{"sources[1].ip", "::1"}, {"sources[1].port", "80"}, {"sources[2].port", "81"}},
       R"({"sources": [{"ip": "::1", "port": 80}, {"port": 81}]})"},
      {{{"service.id", "1"}}, R"({"service": {"id": "1"}})"},
      {{{"service", ""}}, R"({"service": null})"},
      {{{"config.timeout", "10000"}, {"config.queue.size", "7"}, {"config.on", "true"}},
       R"({"config": {"timeout": 10000, "queue": {"size": 7}, "on": true}})"},
      {{{"config.timeout", "soon"}, {"config.bogus", "1"}},
       R"({"config": {"timeout": "soon", "bogus": "1"}})"},
      {{{"url", ""}}, R"({"url": null})"},
      {{{".name", "a"}, {"name.", "b"}, {"a[", "c"}}, R"({".name": "a", "name.": "b", "a[": "c"})"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(json::value(from_form(sample(), c.form)), json::parse(c.json)) << c.json;
  }
}

TEST(Form, GivesNoNumbersThatJsonHasNot) {
  for (const char* text : {"1e400", "-1e400", "nan", "inf", "-inf", "infinity"}) {
    const json::object input = from_form(sample(), {{"rate", text}, {"port", text}});
    EXPECT_EQ(json::value(check_insert(sample(), input).violations.fields),
              json::parse(R"({"rate": "expected a number", "port": "expected an integer"})"))
        << text;
  }
}

TEST(Form, MeetsTheRulesOfItsFields) {
  const struct {
    Form form;
    std::string_view violations;
  } cases[] = {
      {{{"port", "1.5"}}, R"({"port": "expected an integer"})"},
      {{{"port", "1.0"}}, "{}"},
      {{{"enabled", "TRUE"}, {"config.on", "0"}},
       R"({"enabled": "expected a boolean", "config": {"on": "expected a boolean"}})"},
      {{{"ports[]", "1"}, {"ports[]", ""}}, R"({"ports": [null, "required field missing"]})"},
      {{{"tags[1]", "a"}, {"tags[3]", "b"}}, R"({"tags": "expected a set"})"},
      {{{"tags.a", "b"}}, R"({"tags": "expected a set"})"},
      {{{"name[]", "a"}}, R"({"name": "expected a string"})"},
      {{{"config", "text"}}, R"({"config": "expected a record"})"},
      {{{"headers", "text"}}, R"({"headers": "expected a map"})"},
      {{{"headers.x", "a"}, {"headers.x", "b"}}, "{}"},
      {{{"sources[1].port", "x"}}, R"({"sources": [{"port": "expected an integer"}]})"},
      {{{"name", "a\xff"}}, R"({"name": "invalid utf-8 character sequence detected at position 2"})"},
      {{{"name", std::string("a\0b", 3)}}, R"({"name": "invalid NUL character detected at position 2"})"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(json::value(check_insert(sample(), from_form(sample(), c.form)).violations.fields),
              json::parse(c.violations))
        << c.violations;
}

TEST(Form, SurvivesHostileNames) {
  const std::string deep = [] {
    std::string name = "a";
    for (int i = 0; i < 2000; ++i) name += ".a";
    return name;
  }();
  EXPECT_EQ(from_form(sample(), {{"tags[99999999999999999999]", "a"}}).size(), 1U);
  EXPECT_EQ(from_form(sample(), {{deep, "x"}}).begin()->key(), deep) << "no field is that deep";
  EXPECT_TRUE(from_form(sample(), {{"", "x"}}).empty());
}

}  // namespace
}  // namespace gibbon::schema
