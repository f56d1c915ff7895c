#include <gtest/gtest.h>

#include "../../../plugins/ip-restriction/addresses.hpp"

namespace ip_restriction {
namespace {

struct RangeCase {
  const char* range;
  const char* address;
  bool holds;
};

class RangeTest : public testing::TestWithParam<RangeCase> {};

TEST_P(RangeTest, HoldsWhatBeginsWithItsBits) {
  const auto address = parse_address(GetParam().address);
  ASSERT_TRUE(address) << GetParam().address;
  EXPECT_EQ(Ranges({GetParam().range}).hold(*address), GetParam().holds)
      << GetParam().range << " " << GetParam().address;
}

INSTANTIATE_TEST_SUITE_P(Cases, RangeTest, testing::Values(
    RangeCase{"192.0.2.7", "192.0.2.7", true}, RangeCase{"192.0.2.7", "192.0.2.8", false},
    RangeCase{"192.0.2.0/24", "192.0.2.255", true}, RangeCase{"192.0.2.0/24", "192.0.3.0", false},
    RangeCase{"192.0.2.99/24", "192.0.2.1", true}, RangeCase{"192.0.2.0/25", "192.0.2.128", false},
    RangeCase{"192.0.2.0/31", "192.0.2.1", true}, RangeCase{"0.0.0.0/0", "255.1.2.3", true},
    RangeCase{"128.0.0.0/1", "127.255.255.255", false}, RangeCase{"0.0.0.0/0", "::1", false},
    RangeCase{"2001:db8::/32", "2001:db8:ffff::1", true}, RangeCase{"2001:db8::/32", "2001:db9::", false},
    RangeCase{"2001:db8::/33", "2001:db8:8000::", false}, RangeCase{"::/0", "2001:db8::1", true},
    RangeCase{"::/0", "192.0.2.7", false}, RangeCase{"2001:db8::7/128", "2001:db8::7", true},
    RangeCase{"192.0.2.0/24", "::ffff:192.0.2.7", true}, RangeCase{"192.0.2.0/24", "::ffff:192.0.3.7", false},
    RangeCase{"::ffff:0:0/96", "::ffff:192.0.2.7", true}));

TEST(RangeText, IsAnAddressOrARange) {
  for (const char* text : {"", "a", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "1.2.3.4/8x", "::1/129", "::1/"})
    EXPECT_THROW(Range{text}, std::invalid_argument) << text;
  for (const char* text : {"", "unix:", "1.2.3.4/8", "1.2.3.4:80"}) EXPECT_FALSE(parse_address(text)) << text;
}

}  // namespace
}  // namespace ip_restriction
