#include "schema/lua_pattern.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gibbon::schema {
namespace {

using namespace std::string_view_literals;

struct Case {
  std::string_view text, pattern;
  bool matches;
};

TEST(LuaPattern, MatchesAsLuaDoes) {
  const Case cases[] = {
      {"GET", "^%u+$", true},
      {"get", "^%u+$", false},
      {"GET1", "^%u+$", false},
      {"a//b", "//", true},
      {"a/b", "//", false},
      {"*.example.test", "^%*%.", true},
      {"example.*", "%.%*$", true},
      {"example.*.x", "%.%*$", false},
      {"a*b*c", "^[^*]*%*?[^*]*$", false},
      {"a*bc", "^[^*]*%*?[^*]*$", true},
      {"HoSt", "^[Hh][Oo][Ss][Tt]$", true},
      {"Content-Type", "^[Cc]ontent%-[Tt]ype$", true},
      {"ContentxType", "^[Cc]ontent%-[Tt]ype$", false},
      {"x:y", "^[^:]+:.*$", true},
      {":y", "^[^:]+:.*$", false},
      {"", "^$", true},
      {"", "a*", true},
      {"", "a+", false},
      {"aaa", "^a-b$", false},
      {"aab", "^a-b$", true},
      {"ab", "^a?b$", true},
      {"b", "^a?b$", true},
      {"aab", "^a?b$", false},
      {"]", "^[]]$", true},
      {"a]", "^[^]]+$", false},
      {"-", "^[a-]$", true},
      {"m", "^[a-z]$", true},
      {"M", "^[a-z]$", false},
      {"5", "^[%d%.]$", true},
      {".", "^[%d%.]$", true},
      {"x", "^[%D]$", true},
      {"%", "^%%$", true},
      {"a b", "%s", true},
      {"\t", "^%c$", true},
      {"a\0b"sv, "%z", true},
      {"!", "^%p$", true},
      {"fF09", "^%x+$", true},
      {"g", "%x", false},
      {"f(a(b)c)d", "^f%b()d$", true},
      {"f(a(b)cd", "^f%b()d$", false},
      {"THE (quick) fox", "%f[%a]quick%f[%A]", true},
      {"unquick", "%f[%a]quick", false},
      {"abab", "^(ab)%1$", true},
      {"abba", "^(ab)%1$", false},
      {"=[[x]]=", "(%[)(%[).-%]%]", true},
      {"hello", "l()l", true},
      {"a$b", "a$b", true},
      {"ab$", "ab$$", true},
      {"ab", "ab$$", false},
      {"a^b", "a^b", true},
      // What is malformed matches nothing.
      {"a", "[a", false},
      {"a", "a%", false},
      {"a", "(a", false},
      {"a", "a)", false},
      {"a", "%b", false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(lua_match(c.text, c.pattern), c.matches) << c.text << " ~ " << c.pattern;
}

TEST(LuaPattern, LongTextsNeedNoDeepStack) {
  const std::string text(1 << 20, 'a');
  EXPECT_TRUE(lua_match(text, "^a*$"));
  EXPECT_TRUE(lua_match(text, "^.-$"));
  EXPECT_FALSE(lua_match(text, "^a*b$"));
}

}  // namespace
}  // namespace gibbon::schema
