#include "request-transformer/template.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.hpp"

namespace gibbon::test {
namespace {

using testing::HasSubstr;
using transformers::RenderError;
using transformers::Template;
using transformers::TemplateError;

std::string render(const std::string& text) {
  TableEnvironment environment;
  return Template(text).render(environment);
}

std::string refusal(const std::string& text) {
  try {
    const Template compiled(text);
  } catch (const TemplateError& e) {
    return e.what();
  }
  return "accepted";
}

std::string failure(const std::string& text) {
  try {
    return "rendered: " + render(text);
  } catch (const RenderError& e) {
    return e.what();
  }
}

TEST(Template, RendersWhatTheTableSays) {
  const std::pair<const char*, const char*> cases[] = {
      {"plain", "plain"},
      {"$(headers.x)", "one"},
      {"a$(headers.x)b$(headers[\"x-y\"])c", "aonebTwoc"},
      {"$(headers['x-y'])", "Two"},
      {"$(query_params.q)", "5"},
      {"$(uri_captures.user)/$(uri_captures[1])", "ada/first"},
      {"$(uri_captures['1'])", "first"},
      {"$(shared.tenant)", "acme"},
      {"$(headers.none)", ""},
      {"$(false)$(nil)$(true)", "true"},
      {"$(headers.none or 'text')", "text"},
      {"$(headers.none or headers.x)", "one"},
      {"$(headers.x and 'yes' or 'no')", "yes"},
      {"$(headers.none and 'yes' or 'no')", "no"},
      {"$('a' .. 'b' .. 1 .. 2.5)", "ab12.5"},
      {"$(not headers.none)", "true"},
      {"$(not not headers.none == false)", "true"},
      {"$(headers.x == 'one')", "true"},
      {"$(headers.x ~= 'one')", ""},
      {"$(query_params.q == 5)", ""},
      {"$(tonumber(query_params.q) == 5)", "true"},
      {"$(tonumber('0x10') .. '')", "16"},
      {"$(tonumber(' 1e3 '))", "1000"},
      {"$(tonumber('nan') or 'none')", "none"},
      {"$(type(headers.many) == 'table' and headers.many[1] or headers.many)", "a"},
      {"$(headers.many[2])$(headers.many[3])$(headers.many.x)", "b"},
      {"$(type(headers.none))/$(type(headers))/$(type('x'))/$(type(1))/$(type(true))", "nil/table/string/number/boolean"},
      {"$(string.lower(headers['x-y']))", "two"},
      {"$(headers['x-y']:upper():lower())", "two"},
      {"$(string.len(headers.x))", "3"},
      {"$(string.sub(headers.x, 1, 2))|$(headers.x:sub(-2))|$(headers.x:sub(2, 9))|$(headers.x:sub(3, 2))", "on|ne|ne|"},
      {"$(('a'):upper())", "A"},
      {"$(tostring(nil))$(tostring(1e15))", "nil1e+15"},
      {"$('$(headers.x)')", "$(headers.x)"},
      {"$((headers.x))", "one"},
      {"$(headers.x", "$(headers.x"},
      {"$x $ (x) 5$", "$x $ (x) 5$"},
      {"# if $(headers.x)", "# if one"},
      {"$(\"a\\\"b\\\\c\\n\\065\")", "a\"b\\c\nA"},
      {"$(tostring(headers.many))", "table"},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(render(text), wanted) << text;
}

TEST(Template, RefusesWhatItDoesNotKnowAndNamesThePlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"$(uri_captures user2)", "character 16: unexpected 'user2'"},
      {"$()", "character 3: unexpected end of the expression"},
      {"ok $(ERROR())", "character 6: 'ERROR' is not known here"},
      {"$(require('inspect'))", "character 3: 'require' is not known here"},
      {"$(10 * query_params.q)", "character 6: unexpected '*'"},
      {"$(shared.written = true)", "character 18: unexpected '='"},
      {"$(string.format('%s', headers.x))", "character 10: string has no function 'format' here"},
      {"$(headers.x:rep(9))", "character 13: no method is called 'rep'"},
      {"$(headers.x())", "character 12: only tostring, tonumber, type and functions of string can be called"},
      {"$(type())", "character 8: too few arguments for 'type'"},
      {"$(type(1, 2))", "character 11: too many arguments for 'type'"},
      {"$(headers.)", "character 11: name expected instead of end of the expression"},
      {"$(headers['x')", "character 14: ']' expected instead of end of the expression"},
      {"$('x)", "character 3: unfinished string"},
      {"$('\\q')", "character 4: invalid escape sequence"},
      {"$(12ab)", "character 3: malformed number"},
      {"$(headers.x #)", "character 13: unexpected '#'"},
      {"$(-headers.x)", "character 4: only numbers can be negative, not 'headers'"},
      {"$(function() end)", "character 3: 'function' is not known here"},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(refusal(text), wanted) << text;
  EXPECT_THAT(refusal("$(" + std::string(500, '(') + "1" + std::string(500, ')') + ")"), HasSubstr("too many levels"));
}

TEST(Template, FailsAsLuaWhereAValueDoesNotFit) {
  const std::pair<const char*, const char*> cases[] = {
      {"$(headers.none.x)", "attempt to index a nil value"},
      {"$(query_params.none[1])", "attempt to index a nil value"},
      {"$('a' .. headers.none)", "attempt to concatenate a nil value"},
      {"$('a' .. headers.many)", "attempt to concatenate a table value"},
      {"$(string.lower(headers.none))", "bad argument #1 to 'lower' (string expected, got nil)"},
      {"$(headers.x:sub('x'))", "bad argument #2 to 'sub' (number expected, got string)"},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(failure(text), wanted) << text;
}

}  // namespace
}  // namespace gibbon::test
