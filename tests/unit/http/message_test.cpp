#include "http/message.hpp"

#include <gtest/gtest.h>

#include "http/server.hpp"

namespace gibbon::http {
namespace {

TEST(Message, HeaderIgnoresCase) {
  Request request;
  request.headers = {{"Content-Type", "a/b"}, {"content-type", "c/d"}};
  EXPECT_EQ(request.header("CONTENT-TYPE"), "a/b");
  EXPECT_EQ(request.header("content"), "");
}

TEST(Message, PercentDecode) {
  EXPECT_EQ(percent_decode("a%20b%2Fc"), "a b/c");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode("%zz%4"), "%zz%4");
  EXPECT_EQ(percent_decode("%e4%00x"), std::string("\xe4\0x", 3));
}

TEST(Message, PercentEncodeRoundTrip) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_encode("a b/ä~"), "a%20b%2F%C3%A4~");
}

TEST(Message, ParseQuery) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(parse_query("a=1&b=2+3&&c&d=%26=&=x"), (Pairs{{"a", "1"}, {"b", "2 3"}, {"c", ""}, {"d", "&="}, {"", "x"}}));
  EXPECT_EQ(parse_query(""), Pairs{});
}

TEST(Listen, Parses) {
  const struct {
    const char* text;
    const char* host;
    std::uint16_t port;
  } good[] = {{"127.0.0.1:8001", "127.0.0.1", 8001}, {"[::1]:80", "::1", 80},      {"3000", "127.0.0.1", 3000},
              {"localhost:0", "127.0.0.1", 0},       {"*:9000", "0.0.0.0", 9000}, {"0.0.0.0:65535", "0.0.0.0", 65535}};
  for (const auto& [text, host, port] : good) {
    const auto listen = parse_listen(text);
    ASSERT_TRUE(listen.ok()) << text;
    EXPECT_EQ(listen->host, host) << text;
    EXPECT_EQ(listen->port, port) << text;
  }
  for (const char* text : {"", "abc", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "[::1]80", "example.com:80", ":80",
                           "127.0.0.1:8a", "127.0.0.1:-1"}) {
    const auto listen = parse_listen(text);
    ASSERT_FALSE(listen.ok()) << text;
    EXPECT_NE(listen.error().message.find("ADDRESS:PORT"), std::string::npos) << listen.error().message;
  }
}

}  // namespace
}  // namespace gibbon::http
