#include "common/json_object.hpp"

#include <gtest/gtest.h>

namespace gibbon::test {
namespace {

using namespace transformers;

TEST(JsonObject, KeepsOrderAndTheTextOfWhatIsNotTouched) {
  JsonObject object(R"( { "z" : 9007199254740993 , "a":1.50, "o":{"x" : [1, "}"]} ,"e\u0041\"":"\/" } )");
  EXPECT_EQ(*object.find("eA\""), R"("\/")");
  object.set("a", "2");
  object.set("new", "true");
  EXPECT_EQ(object.text(), R"({"z":9007199254740993,"a":2,"o":{"x" : [1, "}"]},"eA\"":"\/","new":true})");
  object.remove("o");
  object.remove("none");
  object.rename("z", "new");
  EXPECT_EQ(object.text(), R"({"new":9007199254740993,"a":2,"eA\"":"\/"})");
}

TEST(JsonObject, TakesTheLastOfMembersWithOneName) {
  EXPECT_EQ(JsonObject(R"({"a":1,"b":2,"a":3})").text(), R"({"a":3,"b":2})");
}

TEST(JsonObject, HoldsNoFalseMember) {
  const JsonObject object(R"({"f":false,"n":null,"z":0})");
  EXPECT_FALSE(object.holds("f"));
  EXPECT_TRUE(object.holds("n"));
  EXPECT_TRUE(object.holds("z"));
  EXPECT_FALSE(object.holds("none"));
}

TEST(JsonObject, AppendsByWhatIsThere) {
  JsonObject object(R"({"t":"a","l":[1, 2],"e":[ ],"n":5,"o":{"1":1},"x":{}})");
  for (const char* name : {"t", "l", "e", "n", "o", "x", "none"}) object.append(name, "\"v\"");
  EXPECT_EQ(object.text(), R"({"t":["a","v"],"l":[1, 2,"v"],"e":["v"],"n":["v"],"o":{"1":1,"2":"v"},"x":["v"],"none":["v"]})");
}

TEST(JsonKind, KnowsWhatIsJson) {
  EXPECT_EQ(json_kind(" {\"a\":[]} "), JsonKind::kObject);
  EXPECT_EQ(json_kind("[]"), JsonKind::kArray);
  EXPECT_EQ(json_kind("\"x\""), JsonKind::kOther);
  EXPECT_EQ(json_kind("null"), JsonKind::kOther);
  for (const char* text : {"", "{", "{\"a\"}", "{\"a\":1,}", "{} {}", "nan"}) EXPECT_FALSE(json_kind(text)) << text;
  EXPECT_TRUE(json_kind(std::string(500, '[') + std::string(500, ']')));
  EXPECT_FALSE(json_kind(std::string(2000, '[') + std::string(2000, ']')));
  EXPECT_TRUE(json_kind("{\"a\":\"\xff\"}"));
}

}  // namespace
}  // namespace gibbon::test
