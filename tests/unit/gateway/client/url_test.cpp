#include "gateway/client/url.hpp"

#include <gtest/gtest.h>

namespace gibbon::gateway::client {
namespace {

TEST(Url, TellsWhereItLeads) {
  struct Case {
    const char* text;
    bool tls;
    const char* host;
    std::uint16_t port;
    const char *authority, *target, *authorization;
  } constexpr kCases[] = {
      {"http://a.test", false, "a.test", 80, "a.test", "/", ""},
      {"HTTPS://A.Test/", true, "a.test", 443, "a.test", "/", ""},
      {"http://a.test:443/x?y=1&z=%20#part", false, "a.test", 443, "a.test:443", "/x?y=1&z=%20", ""},
      {"http://a.test:80/x", false, "a.test", 80, "a.test", "/x", ""},
      {"http://a.test:/x", false, "a.test", 80, "a.test", "/x", ""},
      {"http://a.test?q=1", false, "a.test", 80, "a.test", "/?q=1", ""},
      {"http://127.0.0.1:8080/", false, "127.0.0.1", 8080, "127.0.0.1:8080", "/", ""},
      {"http://[::1]:8080/x", false, "::1", 8080, "[::1]:8080", "/x", ""},
      {"https://[2001:DB8::1]", true, "2001:db8::1", 443, "[2001:db8::1]", "/", ""},
      {"http://joe:s3cret@a.test/", false, "a.test", 80, "a.test", "/", "Basic am9lOnMzY3JldA=="},
      {"http://joe@a.test/", false, "a.test", 80, "a.test", "/", "Basic am9lOg=="},
      {"http://j%40e:a%3Ab@a.test/", false, "a.test", 80, "a.test", "/", "Basic akBlOmE6Yg=="},
      {"http://a.test/a b\r\nX: y", false, "a.test", 80, "a.test", "/a%20b%0D%0AX:%20y", ""},
  };
  for (const Case& c : kCases) {
    const auto url = Url::parse(c.text);
    ASSERT_TRUE(url) << c.text;
    EXPECT_EQ(url->tls, c.tls) << c.text;
    EXPECT_EQ(url->host, c.host) << c.text;
    EXPECT_EQ(url->port, c.port) << c.text;
    EXPECT_EQ(url->authority, c.authority) << c.text;
    EXPECT_EQ(url->target, c.target) << c.text;
    EXPECT_EQ(url->authorization, c.authorization) << c.text;
  }
}

TEST(Url, RefusesWhatIsNone) {
  for (const char* text : {"", "a.test", "ftp://a.test", "http:/a.test", "http://", "http:///x", "http://a.test:0/",
                           "http://a.test:65536/", "http://a.test:8x/", "http://[::1", "http://[::1]x/", "http://[a.test]/",
                           "http://a test/", "http://a.test\r\nX: y/", "http://::1/"})
    EXPECT_FALSE(Url::parse(text)) << text;
}

}  // namespace
}  // namespace gibbon::gateway::client
