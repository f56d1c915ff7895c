#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../../plugins/request-termination/arguments.hpp"

namespace request_termination {
namespace {

using testing::ElementsAre;
using testing::Optional;

TEST(Arguments, AreDecodedAndGathered) {
  const NamedList list = arguments_of("a=1&b=x%20y+z&a=2&c&%64=&=x&&e=%zz%4");
  ASSERT_EQ(list.size(), 5U);
  EXPECT_EQ(list[0].name, "a");
  EXPECT_THAT(list[0].values, ElementsAre(Optional(std::string("1")), Optional(std::string("2"))));
  EXPECT_THAT(list[1].values, ElementsAre(Optional(std::string("x y z"))));
  EXPECT_THAT(list[2].values, ElementsAre(std::nullopt));
  EXPECT_EQ(list[3].name, "d");
  EXPECT_THAT(list[3].values, ElementsAre(Optional(std::string())));
  EXPECT_THAT(list[4].values, ElementsAre(Optional(std::string("%zz%4"))));
}

TEST(Arguments, AreAHundredAtMost) {
  std::string text;
  for (int i = 0; i < 150; ++i) text += "n" + std::to_string(i) + "=&";
  EXPECT_EQ(arguments_of(text).size(), 100U);
  EXPECT_TRUE(arguments_of("").empty());
}

}  // namespace
}  // namespace request_termination
