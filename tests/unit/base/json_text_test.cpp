#include "base/json_text.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace gibbon {
namespace {

TEST(JsonText, WritesNumbersAsPeopleDo) {
  const std::pair<json::value, std::string_view> cases[] = {
      {json::value(10000), "10000"},
      {json::value(10000.0), "10000"},
      {json::value(-5.0), "-5"},
      {json::value(0.01), "0.01"},
      {json::value(1753298422993.277), "1753298422993.277"},
      {json::value(1e20), "1e+20"},
      {json::value(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615"},
      {json::value(std::numeric_limits<double>::infinity()), "null"},
      {json::value(nullptr), "null"},
      {json::value(true), "true"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(to_text(value), text);
}

TEST(JsonText, CanBeReadAgain) {
  const char* const text = R"({"a":[],"b":{},"c":[1,"x/y",null,{"d":0.5}],"e":"q\"\\\n\u0001\u007fü"})";
  const json::value value = json::parse(text);
  EXPECT_EQ(to_text(value), text);
  EXPECT_EQ(json::parse(to_text(value)), value);
}

}  // namespace
}  // namespace gibbon
