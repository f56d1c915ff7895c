// Declarative documents as Kong 3.9 reads them: the ids that it derives, and how it says what is wrong.
#include "agent/store/declarative.hpp"
#include "agent/store/yaml.hpp"
#include "base/json_text.hpp"
#include "base/uuid.hpp"
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

const Catalog& catalog() {
  static const Catalog instance(test_plugins());
  return instance;
}

/// With a version: in block style or in flow style.
std::string whole(const std::string& document) {
  return document.starts_with('{') ? "{_format_version: '3.0', " + document.substr(1)
                                   : "_format_version: '3.0'\n" + document;
}

json::object refused(std::string_view document, ErrorShape shape = ErrorShape::kNested) {
  const auto loaded = load_declarative_text(document, catalog(), shape);
  EXPECT_FALSE(loaded.ok());
  return loaded.ok() ? json::object() : loaded.error->to_json();
}

/// An entity's id, and the key that it is derived from.
struct Derived {
  const char* title;
  const char* document;  ///< Without `_format_version`.
  const char* collection;
  const char* key;
};
void PrintTo(const Derived& derived, std::ostream* out) { *out << derived.title; }

class DerivedId : public ::testing::TestWithParam<Derived> {};

TEST_P(DerivedId, IsKongs) {
  const auto loaded = load_declarative_text(whole(GetParam().document), catalog());
  ASSERT_TRUE(loaded.ok()) << loaded.error->text;
  const auto kind = uuid_v5("fd02801f-0957-4a15-a55a-c8d9606f30b5", GetParam().collection);
  EXPECT_NE(loaded.image.find(GetParam().collection, uuid_v5(kind, GetParam().key)), nullptr)
      << to_text(export_declarative(loaded.image));
}

// svc1's id is 2254ba65-245b-5b72-a0b8-7341d45f5e77.
const Derived kDerived[] = {
    {"Service", "services: [{name: svc1, host: h}]", "services", "svc1"},
    {"Route", "routes: [{name: r1, paths: [/]}]", "routes", "r1"},
    {"Consumer", "consumers: [{username: bob, custom_id: b}]", "consumers", "bob"},
    {"Upstream", "upstreams: [{name: up.test}]", "upstreams", "up.test"},
    {"Vault", "vaults: [{name: env, prefix: my-env}]", "vaults", "vaults:*:my-env"},
    {"GlobalPlugin", "plugins: [{name: correlation-id}]", "plugins", "plugins:*:correlation-id:::"},
    {"NestedPlugin", "services: [{name: svc1, host: h, plugins: [{name: correlation-id}]}]", "plugins",
     "plugins:*:correlation-id::2254ba65-245b-5b72-a0b8-7341d45f5e77:"},
    {"PluginOfAReferredService",
     "{services: [{name: svc1, host: h}], plugins: [{name: correlation-id, service: svc1}]}", "plugins",
     "plugins:*:correlation-id::svc1:"},
    {"PluginWithAReferenceAsAnObject",
     "{services: [{name: svc1, host: h}], plugins: [{name: correlation-id, service: {id: "
     "2254ba65-245b-5b72-a0b8-7341d45f5e77}}]}",
     "plugins", "plugins:*:correlation-id::"},
    {"PluginWithANullReference", "plugins: [{name: correlation-id, route: ~}]", "plugins",
     "plugins:*:correlation-id::"},
    {"PluginWithAnInstanceName", "plugins: [{name: correlation-id, instance_name: mine}]", "plugins",
     "plugins:*:correlation-id:::"},
    {"NestedTarget",
     "upstreams: [{name: u, id: 00000000-0000-4000-8000-000000000001, targets: [{target: 'h:1'}]}]",
     "targets", "targets:*:00000000-0000-4000-8000-000000000001:h:1"},
    {"ReferredTarget", "{upstreams: [{name: u}], targets: [{target: h, upstream: u}]}", "targets",
     "targets:*:u:h"},
};
INSTANTIATE_TEST_SUITE_P(Entities, DerivedId, ::testing::ValuesIn(kDerived),
                         [](const auto& info) { return std::string(info.param.title); });

TEST(DeclarativeIds, OfARecordedKong) {
  const auto loaded = load_declarative_text(
      "{_format_version: '3.0', services: [{name: svc1, host: h, plugins: [{name: "
      "request-response-logger}]}]}",
      catalog());
  ASSERT_TRUE(loaded.ok()) << loaded.error->text;
  EXPECT_NE(loaded.image.find("plugins", "ca8a2662-0f71-508f-aac3-8630bcfc216a"), nullptr);
}

struct Bad {
  const char* title;
  const char* document;
  const char* fields;
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.title; }

class KongsErrors : public ::testing::TestWithParam<Bad> {};

TEST_P(KongsErrors, HaveItsShape) {
  const auto body = refused(whole(GetParam().document));
  EXPECT_EQ(body.at("fields"), json::parse(GetParam().fields)) << to_text(body);
}

const Bad kBad[] = {
    {"PrimaryKey",
     "services: [{id: 0855b320-0dd2-547d-891d-601e9b38647f, name: foo, host: h}, "
     "{id: 0855b320-0dd2-547d-891d-601e9b38647f, name: bar, host: h}]",
     R"re({"services":[null,"uniqueness violation: 'services' entity with primary key set to '0855b320-0dd2-547d-891d-601e9b38647f' already declared"]})re"},
    {"EndpointKey", "services: [{name: foo, host: h}, {name: foo, host: i}]",
     R"re({"services":[null,"uniqueness violation: 'services' entity with name set to 'foo' already declared"]})re"},
    {"OtherUniqueField", "consumers: [{username: foo, custom_id: c}, {username: bar, custom_id: c}]",
     R"re({"consumers":{"bar":"uniqueness violation: 'consumers' entity with custom_id set to 'c' already declared"}})re"},
    {"SameAsANestedOne",
     "{services: [{name: a, host: h, routes: [{name: r, paths: [/]}]}], routes: [{name: r, paths: [/]}]}",
     R"re({"routes":["uniqueness violation: 'routes' entity with name set to 'r' already declared"]})re"},
    {"NestedTwice", "services: [{name: a, host: h, routes: [{name: x, paths: [/]}, {name: x, paths: [/]}]}]",
     R"re({"services":[{"routes":[null,"uniqueness violation: 'routes' entity with name set to 'x' already declared"]}]})re"},
    {"SamePluginTwice", "plugins: [{name: correlation-id}, {name: correlation-id}, {name: correlation-id}]",
     R"re({"plugins":[null,"uniqueness violation: 'plugins' entity with primary key set to '@' already declared","uniqueness violation: 'plugins' entity with primary key set to '@' already declared"]})re"},
    {"SamePluginUnderOtherIds",
     "plugins: [{name: correlation-id, id: 00000000-0000-4000-8000-000000000001}, {name: correlation-id, id: "
     "00000000-0000-4000-8000-000000000002}]",
     R"re({"plugins":{"00000000-0000-4000-8000-000000000002":"uniqueness violation: 'plugins' entity with {consumer=null,name=\"correlation-id\",route=null,service=null} already declared"}})re"},
    {"ReferenceToNothing", "routes: [{name: r, paths: [/], service: nope}]",
     R"re({"routes":{"r":["invalid reference 'service: nope' (no such entry in 'services')"]}})re"},
    {"ReferenceByIdToNothing",
     "routes: [{name: r, paths: [/], service: {id: 00000000-0000-4000-8000-000000000001}}]",
     R"re({"routes":{"r":["invalid reference 'service: {\"id\":\"00000000-0000-4000-8000-000000000001\"}' (no such entry in 'services')"]}})re"},
    {"ReferenceByName",
     "{services: [{name: a, host: h}], routes: [{name: r, paths: [/], service: {name: a}}]}",
     R"re({"routes":[{"service":{"id":"missing primary key"}}]})re"},
    {"ReferenceToNothingBesideAnotherError",
     "{services: [{name: a}], routes: [{name: r, paths: [/], service: nope}]}",
     R"re({"services":[{"host":"required field missing"}],"routes":[{"service":{"id":"missing primary key"}}]})re"},
    {"BrokenReferenceAndUniqueness",
     "{services: [{name: a, host: h}, {name: a, host: h}], routes: [{name: r, paths: [/], service: nope}]}",
     R"re({"services":[null,"uniqueness violation: 'services' entity with name set to 'a' already declared"],
         "routes":{"r":["invalid reference 'service: nope' (no such entry in 'services')"]}})re"},
    {"BadIdOfAParent", "services: [{id: 5, name: a, host: h, routes: [{paths: [/]}]}]",
     R"re({"services":[{"id":"expected a string"}]})re"},
    {"DecksOwnKeys", "{_info: {select_tags: [a]}, _workspace: default, _konnect: {}}",
     R"re({"_info":"unknown field","_workspace":"unknown field","_konnect":"unknown field"})re"},
    {"CommentsOfTheWrongType",
     "{_comment: 1, _ignore: x, services: [{name: a, host: h, _comment: [], _ignore: 1}]}",
     R"re({"_comment":"expected a string","_ignore":"expected an array",
         "services":[{"_comment":"expected a string","_ignore":"expected an array"}]})re"},
    {"NestedListIsNone", "services: [{name: a, host: h, routes: 5}]",
     R"re({"services":[{"routes":"expected an array"}]})re"},
    {"TargetWithoutUpstream", "targets: [{target: 'h:1'}]",
     R"re({"targets":[{"upstream":"required field missing"}]})re"},
};
INSTANTIATE_TEST_SUITE_P(Documents, KongsErrors, ::testing::ValuesIn([] {
                           static std::vector<std::string> kept;
                           std::vector<Bad> all(std::begin(kBad), std::end(kBad));
                           // '@' stands for the plugin's derived id.
                           const auto id = uuid_v5(uuid_v5("fd02801f-0957-4a15-a55a-c8d9606f30b5", "plugins"),
                                                   "plugins:*:correlation-id:::");
                           kept.reserve(all.size());
                           for (auto& bad : all) {
                             kept.emplace_back(bad.fields);
                             for (std::size_t at; (at = kept.back().find("'@'")) != std::string::npos;)
                               kept.back().replace(at + 1, 1, id);
                             bad.fields = kept.back().c_str();
                           }
                           return all;
                         }()),
                         [](const auto& info) { return std::string(info.param.title); });

TEST(FlattenedErrors, ShowReferencesToNothingWhereTheyStand) {
  const auto body = refused(
      "{_format_version: '3.0', services: [{name: a}], plugins: [{name: correlation-id, consumer: nobody, "
      "tags: [x]}]}",
      ErrorShape::kFlattened);
  EXPECT_EQ(body.at("fields"), json::object());
  EXPECT_EQ(body.at("flattened_errors"), json::parse(R"re([
      {"entity_type":"service","entity_name":"a","entity":{"name":"a"},
       "errors":[{"type":"field","field":"host","message":"required field missing"}]},
      {"entity_type":"plugin","entity_name":"correlation-id","entity_tags":["x"],
       "entity":{"name":"correlation-id","consumer":"nobody","tags":["x"]},
       "errors":[{"type":"field","field":"consumer.id","message":"missing primary key"}]}])re"))
      << to_text(body);
}

TEST(FlattenedErrors, ShowUniquenessWithTheDerivedId) {
  const auto body = refused(
      "{_format_version: '3.0', upstreams: [{name: u, id: 00000000-0000-4000-8000-000000000001, "
      "targets: [{target: 'h:1'}, {target: 'h:1', tags: [second]}]}]}",
      ErrorShape::kFlattened);
  const auto& item = body.at("flattened_errors").at(0);
  EXPECT_EQ(item.at("entity_tags"), json::array{"second"});
  const std::string id(item.at("entity_id").as_string());
  EXPECT_EQ(item.at("entity").at("upstream").at("id").as_string(), "00000000-0000-4000-8000-000000000001");
  EXPECT_EQ(item.at("errors"),
            (json::array{
                json::object{{"type", "entity"},
                             {"message", "uniqueness violation: 'targets' entity with primary key set to '" +
                                             id + "' already declared"}}}));
}

TEST(FlattenedErrors, ChildrenComeBeforeParentsAndTheLastFirst) {
  const auto body = refused(
      "{_format_version: '3.0', services: [{name: one, tags: [1], routes: [{name: a, paths: [x]}, {name: b, "
      "paths: [y]}]},"
      " {name: two}]}",
      ErrorShape::kFlattened);
  std::string names;
  for (const auto& item : body.at("flattened_errors").as_array())
    names += std::string(item.at("entity_name").as_string()) + " ";
  EXPECT_EQ(names, "two a b one ");
  // Tags that are no text are not shown as such.
  EXPECT_FALSE(body.at("flattened_errors").as_array().back().as_object().contains("entity_tags"));
}

TEST(FlattenedErrors, WhatIsNoEntityStays) {
  const auto body =
      refused("{_format_version: '3.0', services: [1, {name: a}], nonsense: 1}", ErrorShape::kFlattened);
  EXPECT_EQ(body.at("fields"),
            json::parse(R"re({"nonsense":"unknown field","services":["expected a record",null]})re"))
      << to_text(body);
  EXPECT_EQ(body.at("flattened_errors").as_array().size(), 1u);
}

TEST(Declarative, ErrorsAsTextNameTheEntry) {
  const auto loaded = load_declarative_text(
      "{_format_version: '3.0', services: [{name: a, host: h}, {name: b, port: -1}]}", catalog());
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error->text,
            "in 'services':\n  - in entry 2 of 'services':\n"
            "    in 'port': value should be between 0 and 65535\n    in 'host': required field missing");
}

TEST(Declarative, OldFormatsAreRenewedAsKongDoes) {
  for (const char* version : {"1.1", "2.1"}) {
    const auto loaded =
        load_declarative_text(R"re({"_format_version":")re" + std::string(version) +
                                  R"re(","routes":[{"name":"r","paths":["/a//b/../%41","/x/%2E\\d+%2f"]}],
             "services":[{"name":"s","host":"h","routes":[{"name":"n","paths":["/(x)"]}]}]})re",
                              catalog());
    ASSERT_TRUE(loaded.ok()) << loaded.error->text;
    EXPECT_EQ(loaded.image.find_by("routes", "name", "r")->at("paths"),
              json::parse(R"re(["/a/A","~/x/\\.\\d+%2F"])re"));
    EXPECT_EQ(loaded.image.find_by("routes", "name", "n")->at("paths"), json::parse(R"re(["~/(x)"])re"));
  }
}

TEST(Declarative, TimesThatAreGivenStay) {
  const auto loaded = load_declarative_text(
      "{_format_version: '3.0', services: [{name: a, host: h, created_at: 5, updated_at: 6}]}", catalog());
  ASSERT_TRUE(loaded.ok()) << loaded.error->text;
  const auto row = loaded.image.find_by("services", "name", "a");
  EXPECT_EQ(row->at("created_at").as_int64(), 5);
  EXPECT_EQ(row->at("updated_at").as_int64(), 6);
}

TEST(Declarative, CommentsAreNoContent) {
  const auto loaded = load_declarative_text(
      "{_format_version: '3.0', _comment: c, _ignore: [1, {a: b}], _transform: false,"
      " services: [{name: a, host: h, _comment: c, _ignore: [x]}]}",
      catalog());
  ASSERT_TRUE(loaded.ok()) << loaded.error->text;
  EXPECT_FALSE(loaded.image.find_by("services", "name", "a")->contains("_comment"));
}

TEST(DeclarativeFile, ItsNameSaysWhatItIs) {
  const TemporaryFolder folder;
  const auto load = [&](const std::string& name, const std::string& content) {
    std::ofstream(folder.file(name)) << content;
    std::string text;
    const auto loaded = load_declarative_file(folder.file(name), catalog(), text);
    EXPECT_EQ(text, content);
    return loaded.ok() ? "right" : loaded.error->text;
  };
  EXPECT_EQ(load("a.json", R"re({"_format_version":"3.0"})re"), "right");
  EXPECT_EQ(load("a.yaml", "_format_version: '3.0'"), "right");
  EXPECT_EQ(load("a.yml", "_format_version: '3.0'"), "right");
  EXPECT_TRUE(
      load("b.json", "_format_version: '3.0'").starts_with("failed parsing declarative configuration: "));
  EXPECT_EQ(load("b.yml", "- 1"), "failed parsing declarative configuration: expected an object");
  EXPECT_EQ(load("b.toml", ""),
            "unknown file type: " + folder.file("b.toml") + ". (Accepted types: json, yaml)");
  std::string text;
  EXPECT_EQ(load_declarative_file(folder.file("none.yml"), catalog(), text).error->text,
            folder.file("none.yml") + ": No such file or directory");
  std::filesystem::create_directory(folder.file("folder.yml"));
  EXPECT_FALSE(load_declarative_file(folder.file("folder.yml"), catalog(), text).ok());
}

TEST(YamlEdges, AreKongs) {
  const auto value = [](std::string_view text) {
    const auto parsed = parse_yaml(text);
    return parsed.ok() ? to_text(*parsed) : "error: " + parsed.error().message;
  };
  const std::pair<const char*, const char*> kCases[] = {
      {"a: 1\na: 2", R"re({"a":2})re"},
      {"a: 1\n---\nb: 2", R"re({"a":1})re"},
      {"---\na: 1\n...\n", R"re({"a":1})re"},
      {"a: 2026-11-24", R"re({"a":"2026-11-24"})re"},
      {"a: 2026-11-24T10:00:00Z", R"re({"a":"2026-11-24T10:00:00Z"})re"},
      {"a: 12:30:45", R"re({"a":45045})re"},
      {"a: 1:30.5", R"re({"a":90.5})re"},
      {"a: 1:75", R"re({"a":"1:75"})re"},
      {"a: 127.0.0.1:80", R"re({"a":"127.0.0.1:80"})re"},
      {"a: 1_000", R"re({"a":1000})re"},
      {"a: 017", R"re({"a":15})re"},
      {"a: 089", R"re({"a":89})re"},
      {"a: 0b101", R"re({"a":5})re"},
      {"a: 0x1F", R"re({"a":31})re"},
      {"a: 0o17", R"re({"a":"0o17"})re"},
      {"a: y", R"re({"a":"y"})re"},
      {"a: No", R"re({"a":false})re"},
      {"a: !!bool y", R"re({"a":true})re"},
      {"a: !!int '12'", R"re({"a":12})re"},
      {"a: !!int x", "error: 1:4: invalid 'tag:yaml.org,2002:int' value: 'x'"},
      {"a: .5", R"re({"a":0.5})re"},
      {"a: 5.", R"re({"a":5})re"},
      {"a: 1e3", R"re({"a":1000})re"},
      {"a: +.inf", R"re({"a":"+.inf"})re"},
      {"a: -", "error"},
      {"a: '-'", R"re({"a":"-"})re"},
      {"x: &a [1]\ny: *a", R"re({"x":[1],"y":[1]})re"},
      {"x: &a k\n*a : 1", R"re({"x":"k","k":1})re"},
      {"x: &a {p: 1}\ny: &b {p: 2, q: 3}\nz: {<<: [*a, *b], r: 4}",
       R"re({"x":{"p":1},"y":{"p":2,"q":3},"z":{"r":4,"p":1,"q":3}})re"},
      {"x: &a [*a]", "error"},
      {"x: *nope", "error"},
      {"? [1]\n: 2", "error: 1:3: a key must be text"},
      {"~: 1", "error: 1:1: a key must be text"},
      {"\xEF\xBB\xBF"
       "a: 1",
       R"re({"a":1})re"},
      {"a: '\xFF'", "error: 1:5: invalid UTF-8"},
      {"b: 1\na: '\x01'", "error: 2:5: control characters are not allowed"},
      {"a: \"\\u0001\"", "{\"a\":\"\\u0001\"}"},
      {"a: \"\xC3\xA9 \xF0\x9F\x98\x80\"", "{\"a\":\"\xC3\xA9 \xF0\x9F\x98\x80\"}"},
      {"", "null"},
  };
  for (const auto& [text, expected] : kCases) {
    const auto got = value(text);
    if (std::string_view(expected) == "error") {
      EXPECT_TRUE(got.starts_with("error: ")) << text << " gave " << got;
    } else {
      EXPECT_EQ(got, expected) << text;
    }
  }
  using namespace std::string_view_literals;
  EXPECT_EQ(value("a: \0"sv), "error: 1:4: control characters are not allowed");
}

TEST(YamlEdges, JsonIsReadAsJson) {
  const auto parsed = parse_declarative(R"re({"a":"\ud83d\ude00\/","_format_version":"3.0"})re");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->at("a").as_string(), "\xF0\x9F\x98\x80/");
}

}  // namespace
}  // namespace gibbon::agent::test
