#include "gateway/router/pattern.hpp"

#include <gtest/gtest.h>

namespace gibbon::gateway {
namespace {

struct Case { const char *pattern, *prefix; };

class LiteralPrefix : public testing::TestWithParam<Case> {};

TEST_P(LiteralPrefix, IsWhatEveryMatchBeginsWith) { EXPECT_EQ(literal_prefix(GetParam().pattern), GetParam().prefix); }

INSTANTIATE_TEST_SUITE_P(
    Table, LiteralPrefix,
    testing::Values(Case{"/users/\\d+", "/users/"}, Case{"/users/(?<id>[^/]+)$", "/users/"}, Case{"/a", "/a"},
                    Case{"^/a", "/a"}, Case{"/v1\\.0/x", "/v1.0/x"}, Case{"/ab?c", "/a"}, Case{"/ab*c", "/a"},
                    Case{"/ab{0,2}c", "/a"}, Case{"/ab+c", "/ab"}, Case{"/[0]?", "/"}, Case{"/a$", "/a"},
                    Case{"(?i)/a", ""}, Case{"(*UTF)/a", ""}, Case{"/a|/b", ""}, Case{"/x(/a|/b)", "/x"},
                    Case{"/x[|]y", "/x"}, Case{"/x\\|y", "/x|y"}, Case{"/x(a)|/y", ""}, Case{"/x[(]|/y", ""},
                    Case{"/x[[:alpha:](]|/y", ""}, Case{"/x\\Q(\\E|/y", ""}, Case{"/x(?#()|/y", ""},
                    Case{"/x(?x: # (\n)|/y", ""}, Case{"/x[]()]|/y", ""}, Case{"/x[^]()]|/y", ""},
                    Case{"/x\\(|/y", ""}, Case{"/x(?:a|b)", "/x"}, Case{"\\/a", "/a"}, Case{"/a\\", "/a"}, Case{"", ""}));

TEST(RequiredLiterals, AreInEveryMatch) {
  using Texts = std::vector<std::string>;
  const std::pair<const char*, Texts> cases[] = {
      {"/a/\\d+/b", {"/a/", "/b"}},    {"/v\\d+\\.0/x$", {"/v", ".0/x"}}, {"/ab?c", {"/a", "c"}},
      {"/ab*c", {"/a", "c"}},          {"/ab+c", {"/ab", "c"}},          {"/ab{0,2}c", {"/a", "c"}},
      {"/ab{", {"/a"}},                {"/a(b|c)d", {"/a", "d"}},        {"/a(?:b(x)c)?d", {"/a", "d"}},
      {"/[abc]d", {"/", "d"}},         {"/[]a]b", {"/", "b"}},           {"/a.b", {"/a", "b"}},
      {"/a+?b", {"/a", "b"}},          {"/a|/b", {}},                    {"(?i)/a", {}},
      {"/a(?x) b", {}},                {"/\\Qa|b\\E", {}},              {"(*UTF)/a", {}},
      {"/(?<id>\\d+)/orders", {"/", "/orders"}}, {"/(?!x)y", {"/", "y"}}, {"/a\\", {"/a"}}, {"", {}}};
  for (const auto& [pattern, texts] : cases) EXPECT_EQ(required_literals(pattern), texts) << pattern;
}

TEST(Pattern, MatchesPathsFromTheirBeginning) {
  const Result<Pattern> pattern = Pattern::compile("/a/(\\d+)", Pattern::Kind::kPath);
  ASSERT_TRUE(pattern);
  PatternScratch scratch(4);
  EXPECT_EQ(pattern->match("/a/12/b", scratch), 2U);
  EXPECT_EQ(Pattern::group(scratch, 0)[1], 5U);
  EXPECT_EQ(Pattern::group(scratch, 1)[0], 3U);
  EXPECT_EQ(pattern->match("/x/a/12", scratch), 0U);
}

TEST(Pattern, MatchesHeadersAnywhereWhateverTheCase) {
  const Result<Pattern> pattern = Pattern::compile("linux|bsd", Pattern::Kind::kHeader);
  ASSERT_TRUE(pattern);
  PatternScratch scratch(4);
  EXPECT_NE(pattern->match("Mozilla (X11; Linux)", scratch), 0U);
  EXPECT_EQ(pattern->match("Mozilla (Windows)", scratch), 0U);
}

TEST(Pattern, CoversWhatStripPathTakesAway) {
  struct CoverCase { const char *pattern, *path; std::size_t covered; };
  const CoverCase cases[] = {{"/a/\\d+", "/a/12/b", 5}, {"/a", "/abc", 2},       {"/a|/b", "/b/c", 2},
                             {"/a|/b", "/a/c", 0},       {"/(a|b)/", "/a/c", 3}, {"/a(?:b|c)|/d(e)", "/de/f", 3}};
  PatternScratch scratch(4);
  for (const CoverCase& each : cases) {
    const Result<Pattern> pattern = Pattern::compile(each.pattern, Pattern::Kind::kPath);
    ASSERT_TRUE(pattern && pattern->match(each.path, scratch) > 0) << each.pattern;
    EXPECT_EQ(pattern->covered(scratch), each.covered) << each.pattern << " on " << each.path;
    EXPECT_LE(pattern->groups(), 1U);
  }
}

TEST(Pattern, SaysWhereItIsWrong) {
  const Result<Pattern> pattern = Pattern::compile("/a/(\\d+", Pattern::Kind::kPath);
  ASSERT_FALSE(pattern);
  EXPECT_NE(pattern.error().message.find("'/a/(\\d+'"), std::string::npos);
  EXPECT_NE(pattern.error().message.find("offset 7"), std::string::npos) << pattern.error().message;
}

TEST(Pattern, GivesUpOnAMatchThatTakesTooManySteps) {
  const Result<Pattern> pattern = Pattern::compile("/(a+)+$", Pattern::Kind::kPath);
  ASSERT_TRUE(pattern);
  PatternScratch scratch(4);
  // Without a limit this takes 2^60 steps. A pattern may lower the limit, but not raise it.
  EXPECT_EQ(pattern->match("/" + std::string(60, 'a') + "b", scratch), 0U);
  const Result<Pattern> greedy = Pattern::compile("(*LIMIT_MATCH=4000000000)/(a+)+$", Pattern::Kind::kPath);
  ASSERT_TRUE(greedy);
  EXPECT_EQ(greedy->match("/" + std::string(60, 'a') + "b", scratch), 0U);
  EXPECT_NE(pattern->match("/aaa", scratch), 0U);
}

}  // namespace
}  // namespace gibbon::gateway
