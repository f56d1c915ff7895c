#include "schema/hosts.hpp"

#include <gtest/gtest.h>

namespace gibbon::schema {
namespace {

TEST(HostPort, TellsNamesFromAddresses) {
  using Kind = HostPort::Kind;
  const struct {
    std::string_view text;
    Kind kind;
    bool valid;
    int port;  ///< -1: none.
  } cases[] = {
      {"a", Kind::kName, true, -1},
      {"a.b.", Kind::kName, true, -1},
      {"a_b:80", Kind::kName, true, 80},
      {"a:", Kind::kName, false, -1},
      {"a:b", Kind::kName, false, -1},
      {".a", Kind::kName, false, -1},
      {"a-", Kind::kName, false, -1},
      {"-a", Kind::kName, true, -1},
      {"", Kind::kName, false, -1},
      {":", Kind::kName, false, -1},
      {"a:65536", Kind::kName, false, -1},
      {"1.2.3.4", Kind::kIpv4, true, -1},
      {"001.2.3.4:80", Kind::kIpv4, true, 80},
      {"1.2.3", Kind::kIpv4, false, -1},
      {"1.2.3.256", Kind::kIpv4, false, -1},
      {"1.2.3.4.5", Kind::kIpv4, false, -1},
      {"::1", Kind::kIpv6, true, -1},
      {"[::1]", Kind::kIpv6, true, -1},
      {"[::1]:80", Kind::kIpv6, true, 80},
      {"[::1", Kind::kIpv6, false, -1},
      {"[::1]x", Kind::kIpv6, false, -1},
      {"::g", Kind::kIpv6, false, -1},
      {"1:2:3", Kind::kIpv6, false, -1},
      {"[::1]:70000", Kind::kIpv6, false, -1},
  };
  for (const auto& c : cases) {
    const HostPort host = parse_host_port(c.text);
    EXPECT_EQ(host.kind, c.kind) << c.text;
    EXPECT_EQ(host.valid, c.valid) << c.text;
    EXPECT_EQ(host.port ? *host.port : -1, c.port) << c.text;
  }
  EXPECT_TRUE(parse_host_port("a:65536").port_too_large);
  EXPECT_FALSE(parse_host_port(std::string_view("a\0b", 3)).valid);
}

TEST(Cidr, NeedsAPrefixInItsRange) {
  for (const char* good : {"1.2.3.4", "1.2.3.4/0", "1.2.3.4/32", "::/0", "fe80::1/128", "::1"}) {
    EXPECT_TRUE(is_ip_or_cidr(good)) << good;
  }
  for (const char* bad :
       {"1.2.3.4/33", "1.2.3.4/", "1.2.3.4/08", "1.2.3.4/-1", "::/129", "x/8", "1.2.3.4/8/8", ""}) {
    EXPECT_FALSE(is_ip_or_cidr(bad)) << bad;
  }
  EXPECT_TRUE(is_ipv4_cidr("10.0.0.0/8"));
  EXPECT_FALSE(is_ipv4_cidr("::/8"));
  EXPECT_FALSE(is_ip("1.2.3.4/8"));
}

}  // namespace
}  // namespace gibbon::schema
