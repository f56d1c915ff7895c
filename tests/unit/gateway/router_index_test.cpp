// The index must find what a look at every route would find, whatever the table.
#include <gtest/gtest.h>

#include <random>

#include "route_table.hpp"

namespace gibbon::gateway::test {
namespace {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return random_() % n; }
  template <typename T>
  const T& one_of(const std::vector<T>& values) { return values[below(values.size())]; }
  template <typename T>
  std::vector<T> some_of(const std::vector<T>& values, std::size_t most) {
    std::vector<T> result;
    for (std::size_t n = below(most + 1); n > 0; --n) result.push_back(one_of(values));
    return result;
  }

 private:
  std::mt19937_64 random_;
};

const std::vector<std::string> kHosts = {"a.test", "b.a.test", "*.a.test", "a.*", "a.test:81", "*.a.test:80", "b.*:81"};
const std::vector<std::string> kPaths = {"/", "/a", "/a/", "/a/b", "/ab", "/a/b/c", "/b", "~/a", "~/a/\\w+", "~/\\w+/b",
                                         "~/(a|b)", "~/a|/b", "~/a/b?", "~/a{1}", "~(?i)/A/B",
                                         "~/\\w+/longer", "~/\\w+/long?er", "~/[ab]/(?:x|longer)/longest", "~/(\\w+)/long(er)?/",
                                         "~/.\\.json$", "~/\\w+/lo{0}nger", "~/\\w/longe"};
const std::vector<std::string> kMethods = {"GET", "POST", "PUT"}, kSnis = {"a.test", "b.test"};
const std::vector<std::string> kValues = {"1", "2", "3", "~*[12]"};

config::Route random_route(Dice& dice) {
  config::Route route;
  route.hosts = dice.some_of(kHosts, 2);
  route.paths = dice.some_of(kPaths, 2);
  if (dice.below(3) == 0) route.methods = dice.some_of(kMethods, 2);
  if (dice.below(4) == 0) route.snis = dice.some_of(kSnis, 1);
  if (dice.below(3) == 0) route.headers = {{"x-a", {dice.one_of(kValues)}}};
  if (dice.below(6) == 0) route.headers.emplace_back("x-b", std::vector<std::string>{dice.one_of(kValues), "4"});
  route.regex_priority = static_cast<std::int64_t>(dice.below(3));
  route.created_at = static_cast<std::int64_t>(dice.below(3));
  if (route.hosts.empty() && route.methods.empty() && route.snis.empty() && route.headers.empty()) {
    route.paths.emplace_back("/");
  }
  return route;
}

Request random_request(Dice& dice) {
  Request request;
  request.host = dice.one_of<std::string>({"", "a.test", "b.a.test", "c.b.a.test", "a.org", "b.org:81", "a.test:81", "x"});
  request.target = dice.one_of<std::string>({"/", "/a", "/a/b", "/a/b/c", "/ab", "/b/b", "/c", "/A/B", "/a/longer",
                                               "/a/loner", "/b/longer/longest", "/a/long/x", "/a.json", "/a/lnger"});
  request.method = dice.one_of(kMethods);
  if (dice.below(2) == 0) {
    request.scheme = "https";
    request.sni = dice.one_of(kSnis);
  }
  if (dice.below(2) == 0) request.headers.emplace_back("X-A", dice.one_of(kValues));
  if (dice.below(2) == 0) request.headers.emplace_back("X-B", dice.one_of(kValues));
  return request;
}

RouteTable only(const RouteTable& table, std::vector<std::size_t> indexes) {
  RouteTable result;
  for (const std::size_t index : indexes) result.routes.push_back(table.routes[index]);
  result.build();
  return result;
}

void compare(std::size_t routes, std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Dice dice(seed);
  RouteTable table;
  for (std::size_t i = 0; i < routes; ++i) table.add(random_route(dice));
  table.build();
  ASSERT_TRUE(table.problems.empty());
  std::vector<RouteTable> singles;
  for (std::size_t i = 0; i < routes; ++i) singles.push_back(only(table, {i}));

  for (int n = 0; n < 40; ++n) {
    const Request request = random_request(dice);
    SCOPED_TRACE(request.method + " " + request.scheme + " " + request.host + request.target);
    const int winner = table.find(request);
    for (std::size_t i = 0; i < routes; ++i) {
      const bool serves = singles[i].find(request) == 0;
      if (static_cast<int>(i) == winner) {
        ASSERT_TRUE(serves);
      } else if (serves) {
        ASSERT_NE(winner, -1) << "route " << i << " would serve";
        // Of the two alone, the winner wins too.
        const auto w = static_cast<std::size_t>(winner);
        const RouteTable pair = only(table, {std::min(w, i), std::max(w, i)});
        ASSERT_EQ(pair.find(request), w < i ? 0 : 1) << "route " << winner << " against route " << i;
      }
    }
  }
}

TEST(RouterIndex, AgreesWithALookAtEveryRouteOfSmallTables) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) compare(6, seed);
}

TEST(RouterIndex, AgreesWithALookAtEveryRouteOfLargerTables) {
  for (std::uint64_t seed = 100; seed < 106; ++seed) compare(120, seed);
}

TEST(RouterIndex, TellsManyRoutesOfOnePathApart) {
  RouteTable table;
  for (int i = 0; i < 300; ++i) {
    config::Route route;
    route.paths = {"/api"};
    if (i % 3 == 0) route.headers = {{"x-tenant", {"T" + std::to_string(i)}}};
    if (i % 3 == 1) route.methods = {"M" + std::to_string(i)};
    if (i % 3 == 2) route.snis = {"s" + std::to_string(i) + ".test"};
    table.add(route);
  }
  table.build();
  EXPECT_EQ(table.find({.method = "GET", .target = "/api", .scheme = "https", .headers = {{"x-tenant", "t150"}}}), 150);
  EXPECT_EQ(table.find({.method = "M151", .target = "/api", .scheme = "https"}), 151);
  EXPECT_EQ(table.find({.method = "GET", .target = "/api", .scheme = "https", .sni = "s152.test"}), 152);
  EXPECT_EQ(table.find({.method = "GET", .target = "/api", .scheme = "https"}), -1);
  // Without TLS an SNI does not count: the first of them serves.
  EXPECT_EQ(table.find({.method = "GET", .target = "/api"}), 2);
}

TEST(RouterIndex, FindsEachOfManyRegexesThatBeginAlike) {
  RouteTable table;
  for (int i = 0; i < 1000; ++i) {
    config::Route route;
    route.paths = {"~/v\\d+/(?<id>[^/]+)/resource-" + std::to_string(i) + (i % 2 == 0 ? "$" : "/x?$")};
    table.add(route);
  }
  table.build();
  for (int i = 0; i < 1000; ++i) {
    const std::string path = "/v1/7/resource-" + std::to_string(i);
    ASSERT_EQ(table.find({.target = i % 2 == 0 ? path : path + "/"}), i);
    ASSERT_EQ(table.find({.target = path + "/y"}), -1);
  }
}

TEST(RouterIndex, FindsEachOfTenThousandRoutes) {
  RouteTable table;
  for (int i = 0; i < 10000; ++i) {
    config::Route route;
    route.paths = {"/r/" + std::to_string(i) + "/"};
    if (i % 2 == 0) route.hosts = {"h" + std::to_string(i / 100) + ".test"};
    table.add(route);
  }
  table.build();
  for (int i = 0; i < 10000; ++i) {
    const std::string host = "h" + std::to_string(i / 100) + ".test";
    ASSERT_EQ(table.find({.host = host, .target = "/r/" + std::to_string(i) + "/x"}), i);
  }
  EXPECT_EQ(table.find({.host = "other.test", .target = "/r/10/x"}), -1);
}

}  // namespace
}  // namespace gibbon::gateway::test
