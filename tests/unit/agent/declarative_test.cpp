#include "agent/store/declarative.hpp"

#include "agent/store/yaml.hpp"
#include "base/json_text.hpp"
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

const Catalog& catalog() {
  static const Catalog instance(test_plugins());
  return instance;
}

constexpr const char* kGood = R"(
_format_version: "3.0"
_transform: true
services:
- name: svc1
  url: http://127.0.0.1:18080
  tags: [a, b]
  routes:
  - name: r1
    paths: [/r1]
    plugins:
    - name: http-log
      config: {http_endpoint: "http://localhost/x"}
  plugins:
  - name: request-response-logger
    config: {timeout: 5000}
routes:
- name: r2
  paths: [/r2]
  service: svc1
- name: r3
  paths: [/r3]
  service: {id: 2254ba65-245b-5b72-a0b8-7341d45f5e77}
plugins:
- name: correlation-id
- name: request-response-logger
  route: r2
)";

TEST(Declarative, ReadsNestedAndReferredEntities) {
  const auto loaded = load_declarative_text(kGood, catalog());
  ASSERT_TRUE(loaded.ok()) << loaded.error->text;
  const auto& image = loaded.image;
  const auto service = image.find_by("services", "name", "svc1");
  ASSERT_NE(service, nullptr);
  EXPECT_EQ(service->at("port").as_int64(), 18080);
  EXPECT_EQ(service->at("retries").as_int64(), 5);
  for (const char* name : {"r1", "r2", "r3"})
    EXPECT_EQ(foreign_id(*image.find_by("routes", "name", name), "service"), text_of(*service, "id")) << name;
  EXPECT_EQ(image.rows("plugins").size(), 4u);
}

TEST(Declarative, DerivesKongsOwnIds) {
  const auto loaded = load_declarative_text(kGood, catalog());
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(text_of(*loaded.image.find_by("services", "name", "svc1"), "id"),
            "2254ba65-245b-5b72-a0b8-7341d45f5e77");
  EXPECT_EQ(text_of(*loaded.image.find_by("routes", "name", "r1"), "id"),
            "4726a05a-d550-537e-9fc3-a07c7a1188c7");
}

TEST(Declarative, TheSameDocumentMakesTheSameIds) {
  constexpr const char* kNameless =
      R"({"_format_version":"3.0","services":[{"host":"a"},{"host":"b"},{"host":"b"}],
    "routes":[{"paths":["/a"]},{"paths":["/a"]}],"plugins":[{"name":"correlation-id"}]})";
  const auto ids = [&] {
    std::vector<std::string> list;
    const auto loaded = load_declarative_text(kNameless, catalog());
    EXPECT_TRUE(loaded.ok()) << loaded.error->text;
    for (const auto& collection : *Collections::core())
      for (const auto& [id, row] : loaded.image.rows(collection.name)) list.push_back(id);
    return list;
  };
  EXPECT_EQ(ids(), ids());
  EXPECT_EQ(ids().size(), 6u);
}

TEST(Declarative, ExportedDocumentsReadBackTheSame) {
  const auto loaded = load_declarative_text(kGood, catalog());
  ASSERT_TRUE(loaded.ok());
  const auto again = load_declarative_text(to_yaml(export_declarative(loaded.image)), catalog());
  ASSERT_TRUE(again.ok()) << again.error->text;
  EXPECT_EQ(export_declarative(again.image), export_declarative(loaded.image));
}

struct Bad {
  const char* title;
  const char* document;
  const char* message;
};

class BadDocument : public ::testing::TestWithParam<Bad> {};

TEST_P(BadDocument, IsRefusedWithAllThatIsWrong) {
  const auto loaded = load_declarative_text(GetParam().document, catalog());
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error->to_json().at("message").as_string(),
            "declarative config is invalid: " + std::string(GetParam().message));
  EXPECT_EQ(loaded.error->to_json().at("code").as_int64(), 14);
}

const Bad kBad[] = {
    {"NoVersion", "{services: []}", R"re({_format_version="required field missing"})re"},
    {"OtherVersion", "_format_version: '9'", R"re({_format_version="expected one of: 1.1, 2.1, 3.0"})re"},
    {"VersionIsANumber", "_format_version: 3.0", R"re({_format_version="expected a string"})re"},
    {"UnknownSection", "{_format_version: '3.0', nonsense: []}", R"re({nonsense="unknown field"})re"},
    {"SectionIsNoList", "{_format_version: '3.0', services: {}}", R"re({services="expected an array"})re"},
    {"ElementIsNoRecord", "{_format_version: '3.0', services: [1]}",
     R"re({services={"expected a record"}})re"},
    {"NotAnObject", "[]", R"re({error="failed parsing declarative configuration: expected an object"})re"},
    {"Empty", "", R"re({error="failed parsing declarative configuration: expected an object"})re"},
    {"SecondOfTwo", "{_format_version: '3.0', services: [{name: a, host: h}, {name: b}]}",
     R"re({services={[2]={host="required field missing"}}})re"},
    {"EverythingAtOnce",
     "{_format_version: '3.0', services: [{name: b, plugins: [{name: nope}], routes: [{paths: [x]}]}]}",
     R"re({services={{host="required field missing",plugins={{name="plugin 'nope' not enabled; add it to the 'plugins' configuration property"}},routes={{paths={"should start with: / (fixed path) or ~/ (regex path)"}}}}}})re"},
    {"BrokenReference", "{_format_version: '3.0', routes: [{name: r, paths: [/], service: nope}]}",
     R"re({routes={r={"invalid reference 'service: nope' (no such entry in 'services')"}}})re"},
    {"SameNameTwice", "{_format_version: '3.0', services: [{name: a, host: h}, {name: a, host: i}]}",
     R"re({services={[2]="uniqueness violation: 'services' entity with name set to 'a' already declared"}})re"},
    {"ParentInsideParent",
     "{_format_version: '3.0', services: [{name: a, host: h, routes: [{paths: [/], service: a}]}]}",
     R"re({services={{routes={{service="value must be null"}}}}})re"},
};

INSTANTIATE_TEST_SUITE_P(Documents, BadDocument, ::testing::ValuesIn(kBad),
                         [](const auto& info) { return std::string(info.param.title); });

TEST(Declarative, ASyntaxErrorSaysWhere) {
  const auto loaded =
      load_declarative_text("_format_version: '3.0'\nservices:\n- name: a\n  host: [1, 2\n", catalog());
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error->text.find("configuration: 5:1: "), std::string::npos)
      << loaded.error->text;
}

TEST(Declarative, FlattensErrorsOnRequest) {
  const auto loaded = load_declarative_text(
      "{_format_version: '3.0', _transform: 1, services: [{name: s, host: h, id: "
      "11111111-1111-4111-8111-111111111111, plugins: [{name: http-log, tags: [t]}]}]}",
      catalog(), ErrorShape::kFlattened);
  ASSERT_FALSE(loaded.ok());
  const auto body = loaded.error->to_json();
  EXPECT_EQ(body.at("fields"), json::parse(R"({"_transform":"expected a boolean"})"));
  EXPECT_EQ(body.at("flattened_errors"), json::parse(R"([{"entity_type":"plugin","entity_name":"http-log",
      "entity_tags":["t"],
      "entity":{"name":"http-log","tags":["t"],"service":{"id":"11111111-1111-4111-8111-111111111111"}},
      "errors":[{"type":"field","field":"config.http_endpoint","message":"required field missing"}]}])"))
      << to_text(body);
}

TEST(Declarative, OldFormatsMarkTheirPatterns) {
  const auto loaded = load_declarative_text(
      R"({"_format_version":"2.1","routes":[{"name":"r","paths":["/plain","/x/\\d+"]}]})", catalog());
  ASSERT_TRUE(loaded.ok()) << loaded.error->text;
  EXPECT_EQ(loaded.image.find_by("routes", "name", "r")->at("paths"),
            json::parse(R"(["/plain","~/x/\\d+"])"));
}

struct Scalar {
  const char* yaml;
  const char* json;
};
void PrintTo(const Scalar& scalar, std::ostream* out) { *out << scalar.yaml; }

class YamlValue : public ::testing::TestWithParam<Scalar> {};

TEST_P(YamlValue, HasItsType) {
  const auto parsed = parse_yaml(GetParam().yaml);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(*parsed, json::parse(GetParam().json)) << to_text(*parsed);
  const auto again = parse_yaml(to_yaml(*parsed));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *parsed) << to_yaml(*parsed);
}

INSTANTIATE_TEST_SUITE_P(
    Scalars, YamlValue,
    ::testing::Values(Scalar{"a: 1", R"({"a":1})"}, Scalar{"a: -5", R"({"a":-5})"},
                      Scalar{"a: 0x1F", R"({"a":31})"}, Scalar{"a: 0.01", R"({"a":0.01})"},
                      Scalar{"a: 1e3", R"({"a":1000})"}, Scalar{"a: '1'", R"({"a":"1"})"},
                      Scalar{"a: \"true\"", R"({"a":"true"})"}, Scalar{"a: yes", R"({"a":true})"},
                      Scalar{"a: off", R"({"a":false})"}, Scalar{"a: ~", R"({"a":null})"},
                      Scalar{"a:", R"({"a":null})"}, Scalar{"a: 1.2.3", R"({"a":"1.2.3"})"},
                      Scalar{"a: 12abc", R"({"a":"12abc"})"}, Scalar{"a: ''", R"({"a":""})"},
                      Scalar{"a: !!str 5", R"({"a":"5"})"}, Scalar{"a: {}\nb: []", R"({"a":{},"b":[]})"},
                      Scalar{"a: |\n  x\n  y\n", R"({"a":"x\ny\n"})"},
                      Scalar{"a: 'k: v # no'", R"({"a":"k: v # no"})"},
                      Scalar{"x: &d {p: 1, q: 2}\ny:\n  <<: *d\n  q: 3",
                             R"({"x":{"p":1,"q":2},"y":{"p":1,"q":3}})"},
                      Scalar{"- {a: [1, [2]]}\n- b", R"([{"a":[1,[2]]},"b"])"}));

TEST(Yaml, BoundsWhatAliasesMayGrowTo) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const auto last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int n = 1; n < 10; ++n) text += ", " + last;
    text += "]\n";
  }
  EXPECT_FALSE(parse_yaml(text).ok());
  EXPECT_FALSE(parse_yaml(std::string(100, '[') + std::string(100, ']')).ok());
}

}  // namespace
}  // namespace gibbon::agent::test
