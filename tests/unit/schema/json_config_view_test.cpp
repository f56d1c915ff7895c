#include "schema/json_config_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace gibbon::schema {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class JsonConfigViewTest : public testing::Test {
 protected:
  const json::value value_ = json::parse(R"({
    "text": "a\u0000b", "empty": "", "number": 2.75, "whole": 10000, "double_whole": 1E4, "huge": 18446744073709551615,
    "huge_double": 1e300, "yes": true, "nothing": null, "list": ["a", "b", 3], "none": [],
    "record": {"inner": {"deep": 5}}, "map": {"X-B": "2", "X-A": "1"}})");
  const JsonConfigView json_{value_.as_object()};
  const ConfigView& view_ = json_;
};

TEST_F(JsonConfigViewTest, GivesTheFieldsOfTheirTypes) {
  EXPECT_EQ(view_.string("text"), std::string("a\0b", 3));
  EXPECT_EQ(view_.string("empty", "x"), "");
  EXPECT_EQ(view_.number("number"), 2.75);
  EXPECT_EQ(view_.number("whole"), 10000);
  EXPECT_EQ(view_.integer("whole"), 10000);
  EXPECT_EQ(view_.integer("double_whole"), 10000);
  EXPECT_EQ(view_.integer("number"), 2);
  EXPECT_TRUE(view_.boolean("yes"));
  EXPECT_THAT(view_.strings("list"), ElementsAre("a", "b"));
  EXPECT_THAT(view_.strings("none"), IsEmpty());
}

TEST_F(JsonConfigViewTest, CutsIntegersThatDoNotFit) {
  EXPECT_EQ(view_.integer("huge"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(view_.integer("huge_double"), std::numeric_limits<std::int64_t>::max());
}

TEST_F(JsonConfigViewTest, GivesTheFallbackForNullAbsentAndOtherTypes) {
  for (const char* field : {"nothing", "absent", "record"}) {
    EXPECT_EQ(view_.string(field, "x"), "x");
    EXPECT_EQ(view_.number(field, 1.5), 1.5);
    EXPECT_EQ(view_.integer(field, 7), 7);
    EXPECT_TRUE(view_.boolean(field, true));
    EXPECT_THAT(view_.strings(field), IsEmpty());
  }
  EXPECT_TRUE(view_.is_null("nothing"));
  EXPECT_TRUE(view_.is_null("absent"));
  EXPECT_FALSE(view_.is_null("empty"));
}

TEST_F(JsonConfigViewTest, ReachesNestedRecordsAndMaps) {
  EXPECT_EQ(view_.record("record")->record("inner")->integer("deep"), 5);
  EXPECT_TRUE(view_.record("nothing")->is_null("deep"));
  EXPECT_TRUE(view_.record("whole")->is_null("deep"));
  EXPECT_THAT(view_.keys("map"), ElementsAre("X-B", "X-A"));
  EXPECT_EQ(view_.record("map")->string("X-A"), "1");
  EXPECT_THAT(view_.keys("list"), IsEmpty());
}

}  // namespace
}  // namespace gibbon::schema
