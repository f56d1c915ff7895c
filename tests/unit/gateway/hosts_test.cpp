#include "gateway/balancer/hosts.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gibbon::gateway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> texts(const std::vector<Address>* addresses) {
  std::vector<std::string> result;
  if (addresses == nullptr) return {"unknown"};
  for (const Address& address : *addresses) result.push_back(address.text());
  return result;
}

class HostsFileTest : public testing::Test {
 protected:
  HostsFileTest() {
    std::string folder = testing::TempDir() + "gibbon-hosts-XXXXXX";
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    path_ = folder + "/hosts";
  }
  ~HostsFileTest() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& text) const { std::ofstream(path_, std::ios::trunc) << text; }

  std::string folder_, path_;
};

TEST(Address, ReadsBothFamilies) {
  EXPECT_EQ(Address::parse("192.0.2.1")->text(), "192.0.2.1");
  EXPECT_EQ(Address::parse("2001:DB8::1")->text(), "2001:db8::1");
  EXPECT_EQ(Address::parse("[::1]")->text(), "::1");
  EXPECT_EQ(Address::parse("fe80::1%lo")->scope, 1U);
  EXPECT_EQ(Address::parse("fe80::1%7")->scope, 7U);
  for (const char* text : {"", "localhost", "1.2.3", "1.2.3.4%lo", "::g", "fe80::1%nosuchinterface", "[1.2.3.4"}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
}

TEST(Address, BecomesASockaddr) {
  sockaddr_storage storage;
  ASSERT_EQ(Address::parse("192.0.2.1")->to_sockaddr(8080, &storage), sizeof(sockaddr_in));
  const auto* four = reinterpret_cast<const sockaddr_in*>(&storage);
  EXPECT_EQ(four->sin_family, AF_INET);
  EXPECT_EQ(ntohs(four->sin_port), 8080);
  EXPECT_EQ(ntohl(four->sin_addr.s_addr), 0xC0000201U);
  ASSERT_EQ(Address::parse("fe80::2%7")->to_sockaddr(443, &storage), sizeof(sockaddr_in6));
  const auto* six = reinterpret_cast<const sockaddr_in6*>(&storage);
  EXPECT_EQ(six->sin6_family, AF_INET6);
  EXPECT_EQ(ntohs(six->sin6_port), 443);
  EXPECT_EQ(six->sin6_scope_id, 7U);
  EXPECT_EQ(six->sin6_addr.s6_addr[15], 2);
}

TEST_F(HostsFileTest, KnowsNamesAliasesAndBothFamilies) {
  write("# the usual\n127.0.0.1\tlocalhost  loop # more\n::1 LocalHost ip6-localhost\n"
        "127.0.0.1 localhost\nnonsense line\n10.0.0.1\n10.0.0.2 db.internal.\r\n10.0.0.3 last");
  HostsFile hosts(path_);
  EXPECT_TRUE(hosts.refresh());
  EXPECT_THAT(texts(hosts.find("LOCALHOST")), ElementsAre("127.0.0.1", "::1"));
  EXPECT_THAT(texts(hosts.find("loop")), ElementsAre("127.0.0.1"));
  EXPECT_THAT(texts(hosts.find("db.internal")), ElementsAre("10.0.0.2"));
  EXPECT_THAT(texts(hosts.find("db.internal.")), ElementsAre("10.0.0.2"));
  EXPECT_THAT(texts(hosts.find("last")), ElementsAre("10.0.0.3"));
  EXPECT_EQ(hosts.find("line"), nullptr);
  EXPECT_EQ(hosts.find("more"), nullptr);
}

TEST_F(HostsFileTest, IsReadAgainWhenItChanges) {
  HostsFile hosts(path_);
  EXPECT_FALSE(hosts.refresh());
  EXPECT_EQ(hosts.find("a"), nullptr);
  write("10.0.0.1 a\n");
  EXPECT_TRUE(hosts.refresh());
  EXPECT_FALSE(hosts.refresh());
  write("10.0.0.2 a b\n");
  EXPECT_TRUE(hosts.refresh());
  EXPECT_THAT(texts(hosts.find("a")), ElementsAre("10.0.0.2"));

  // As many bytes, another time.
  write("10.0.0.3 a b\n");
  std::filesystem::last_write_time(path_, std::filesystem::last_write_time(path_) + std::chrono::seconds(5));
  EXPECT_TRUE(hosts.refresh());
  EXPECT_THAT(texts(hosts.find("b")), ElementsAre("10.0.0.3"));

  std::filesystem::remove(path_);
  EXPECT_TRUE(hosts.refresh());
  EXPECT_EQ(hosts.find("a"), nullptr);
}

TEST(ResolverConfig, ReadsServersSearchListAndOptions) {
  const ResolverConfig config = ResolverConfig::parse(
      "; comment\nnameserver 192.0.2.53\nnameserver 2001:db8::53 # second\nnameserver not-an-address\n"
      "domain old.test\nsearch Svc.Cluster.Local. cluster.local\noptions ndots:5 timeout:2 attempts:3 rotate\n");
  EXPECT_THAT(config.nameservers, ElementsAre("192.0.2.53", "[2001:db8::53]"));
  EXPECT_THAT(config.search, ElementsAre("svc.cluster.local", "cluster.local"));
  EXPECT_EQ(config.ndots, 5U);
  EXPECT_EQ(config.timeout_s, 2U);
  EXPECT_EQ(config.attempts, 3U);
}

TEST(ResolverConfig, HasTheDefaultsAndLimitsOfTheCLibrary) {
  const ResolverConfig none = ResolverConfig::load("/nonexistent/resolv.conf");
  EXPECT_THAT(none.nameservers, ElementsAre("127.0.0.1"));
  EXPECT_THAT(none.search, IsEmpty());
  EXPECT_EQ(none.ndots, 1U);
  EXPECT_EQ(none.timeout_s, 5U);
  EXPECT_EQ(none.attempts, 2U);
  const ResolverConfig wild = ResolverConfig::parse(
      "nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n"
      "options ndots:99 timeout:999 attempts:0\noptions timeout:x ndots\nsearch\n");
  EXPECT_THAT(wild.nameservers, ElementsAre("10.0.0.1", "10.0.0.2", "10.0.0.3"));
  EXPECT_EQ(wild.ndots, 15U);
  EXPECT_EQ(wild.timeout_s, 30U);
  EXPECT_EQ(wild.attempts, 1U);
}

TEST(ResolverConfig, ListsTheNamesToTry) {
  ResolverConfig config;
  config.search = {"a.test", "test"};
  EXPECT_THAT(config.candidates("db"), ElementsAre("db.a.test", "db.test", "db"));
  EXPECT_THAT(config.candidates("DB.x"), ElementsAre("db.x", "db.x.a.test", "db.x.test"));
  EXPECT_THAT(config.candidates("db."), ElementsAre("db"));
  EXPECT_THAT(config.candidates("."), IsEmpty());
  EXPECT_THAT(config.candidates(""), IsEmpty());
  config.ndots = 2;
  EXPECT_THAT(config.candidates("db.x"), ElementsAre("db.x.a.test", "db.x.test", "db.x"));
  config.ndots = 0;
  EXPECT_THAT(config.candidates("db"), ElementsAre("db", "db.a.test", "db.test"));
}

}  // namespace
}  // namespace gibbon::gateway
