#include <gtest/gtest.h>

#include "../../../plugins/cors/origins.hpp"

namespace cors {
namespace {

struct NormalCase {
  const char *text, *domain, *host;
};

class NormalizedTest : public testing::TestWithParam<NormalCase> {};

TEST_P(NormalizedTest, LeavesOutWhatTheSchemeImplies) {
  const Origin origin = normalized(GetParam().text);
  EXPECT_EQ(origin.domain, GetParam().domain);
  EXPECT_EQ(origin.host, GetParam().host);
}

INSTANTIATE_TEST_SUITE_P(Cases, NormalizedTest, testing::Values(
    NormalCase{"https://a.test", "https://a.test", "a.test"}, NormalCase{"https://a.test:443", "https://a.test", "a.test"},
    NormalCase{"http://a.test:80", "http://a.test", "a.test"}, NormalCase{"http://a.test:443", "http://a.test:443", "a.test"},
    NormalCase{"http://a.test:8080/x?y", "http://a.test:8080", "a.test"}, NormalCase{"null", "null", "null"},
    NormalCase{"http://u:p@a.test", "http://a.test", "a.test"}, NormalCase{"a.test:80", "a.test:80", "a.test:80"},
    NormalCase{"//a.test:80", "a.test:80", "a.test"}, NormalCase{"http://[::1]:80", "http://[::1]", "[::1]"},
    NormalCase{"http://[::1]", "http://[::1]", "[::1]"}, NormalCase{"file://", "file://", "file://"},
    NormalCase{"app-x+1.2://a", "app-x+1.2://a", "a"}, NormalCase{"", "", ""}));

TEST(Origins, RefuseAPatternThatIsNone) {
  EXPECT_THROW(Origins({"a(b"}), std::invalid_argument);
  EXPECT_THROW(Regex("*"), std::invalid_argument);
}

TEST(Origins, AreForAllWithoutEntries) {
  EXPECT_TRUE(Origins({}).any());
  EXPECT_EQ(Origins({}).judge("").allowed, "*");
  EXPECT_TRUE(Origins({"*"}).judge("https://a.test").everyone);
}

TEST(Origins, MatchPatternsAsAWhole) {
  const Origins origins({R"(a|ab\.test)", R"(https?://c\.test)"});
  EXPECT_EQ(origins.judge("https://ab.test:444").allowed, "https://ab.test:444") << "a host; the second branch ends";
  EXPECT_EQ(origins.judge("http://c.test").allowed, "http://c.test");
  EXPECT_EQ(origins.judge("http://c.test:81").allowed, "");
  EXPECT_EQ(origins.judge("").allowed, "");
}

}  // namespace
}  // namespace cors
