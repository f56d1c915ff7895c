#include "gateway/router/router.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "route_table.hpp"

namespace gibbon::gateway::test {
namespace {

using config::Route;

Route with_paths(std::vector<std::string> paths) { Route r; r.paths = std::move(paths); return r; }
Route with_hosts(std::vector<std::string> hosts) { Route r; r.hosts = std::move(hosts); return r; }

RouteTable table_of(std::vector<Route> routes) {
  RouteTable table;
  for (Route& route : routes) table.add(std::move(route));
  table.build();
  return table;
}

TEST(Router, WithoutRoutesMatchesNothing) {
  EXPECT_EQ(table_of({}).find({}), -1);
}

TEST(RouterOrder, MoreKindsOutrankALongerPath) {
  Route two = with_paths({"/"});
  two.methods = {"GET"};
  EXPECT_EQ(table_of({with_paths({"/a/b/c"}), two}).find({.target = "/a/b/c"}), 1);
}

TEST(RouterOrder, KindsGoByHostHeaderPathMethod) {
  Route header, method;
  header.headers = {{"x-a", {"1"}}};
  method.methods = {"GET"};
  const RouteTable table = table_of({method, with_paths({"/"}), header, with_hosts({"a.test"})});
  EXPECT_EQ(table.find({.host = "a.test", .headers = {{"X-A", "1"}}}), 3);
  EXPECT_EQ(table.find({.headers = {{"X-A", "1"}}}), 2);
  EXPECT_EQ(table.find({}), 1);
}

TEST(RouterOrder, RegexesGoByPriorityThenAge) {
  Route low = with_paths({"~/a/\\d+"}), high = low, old = low;
  low.regex_priority = 1;
  high.regex_priority = 5;
  low.created_at = high.created_at = 20;
  old.regex_priority = 5;
  old.created_at = 10;
  const RouteTable table = table_of({low, high, old, with_paths({"/a/1/very/long"})});
  EXPECT_EQ(table.find({.target = "/a/1/very/long"}), 2);
  EXPECT_EQ(table.find({.target = "/a/x"}), -1);
}

TEST(RouterOrder, PriorityMeansNothingToPlainPaths) {
  Route low = with_paths({"/a/b"}), high = with_paths({"/a"});
  high.regex_priority = 100;
  EXPECT_EQ(table_of({high, low}).find({.target = "/a/b"}), 1);
}

TEST(RouterOrder, EachPathOfARouteStandsForItself) {
  const RouteTable table = table_of({with_paths({"/a", "/b/long"}), with_paths({"/a/long", "/b"})});
  EXPECT_EQ(table.find({.target = "/a/long"}), 1);
  EXPECT_EQ(table.find({.target = "/b/long"}), 0);
  EXPECT_EQ(table.find({.target = "/b/other"}), 1);
}

TEST(RouterOrder, MoreHeadersOutrankALongerPath) {
  Route one = with_paths({"/a/long"}), two = with_paths({"/a"});
  one.headers = {{"x-a", {"1"}}};
  two.headers = {{"x-a", {"1"}}, {"x-b", {"2"}}};
  const RouteTable table = table_of({one, two});
  EXPECT_EQ(table.find({.target = "/a/long", .headers = {{"x-a", "1"}, {"x-b", "2"}}}), 1);
  EXPECT_EQ(table.find({.target = "/a/long", .headers = {{"x-a", "1"}}}), 0);
}

TEST(RouterOrder, TheOlderRouteWinsATie) {
  Route young = with_paths({"/a"}), old = young;
  young.created_at = 2;
  old.created_at = 1;
  EXPECT_EQ(table_of({young, old}).find({.target = "/a"}), 1);
}

TEST(RouterHosts, PlainOutranksWildcard) {
  const RouteTable table = table_of({with_hosts({"*.a.test"}), with_hosts({"b.a.test"}), with_hosts({"b.*"})});
  EXPECT_EQ(table.find({.host = "b.a.test"}), 1);
  EXPECT_EQ(table.find({.host = "B.A.Test"}), 1);
  EXPECT_EQ(table.find({.host = "x.y.a.test"}), 0);
  EXPECT_EQ(table.find({.host = "a.test"}), -1);
  EXPECT_EQ(table.find({.host = "b.org"}), 2);
  EXPECT_EQ(table.find({.host = "b."}), -1);
  EXPECT_EQ(table.find({.host = ".a.test"}), -1);
}

TEST(RouterHosts, APortIsMatchedWhereItIsNamed) {
  const RouteTable table = table_of({with_hosts({"a.test"}), with_hosts({"a.test:8443"}), with_hosts({"*.w.test:443"})});
  EXPECT_EQ(table.find({.host = "a.test:8443"}), 1);
  EXPECT_EQ(table.find({.host = "a.test:99"}), 0);
  EXPECT_EQ(table.find({.host = "x.w.test", .scheme = "https"}), 2);
  EXPECT_EQ(table.find({.host = "x.w.test"}), -1);
}

TEST(RouterHosts, ARequestWithoutHostMatchesRoutesWithoutHosts) {
  const RouteTable table = table_of({with_hosts({"a.test"}), with_paths({"/"})});
  EXPECT_EQ(table.find({}), 1);
}

TEST(RouterHosts, TakesIpv6Addresses) {
  const RouteTable table = table_of({with_hosts({"[::1]:8000"}), with_hosts({"::1"})});
  MatchInput input;
  input.method = "GET";
  input.path = "/";
  Match match;
  for (const std::string_view host : {"::1", "[::1]"}) {
    input.host = host;
    input.port = 8000;
    ASSERT_TRUE(table.router->match(input, &match));
    EXPECT_EQ(match.route, 0U);
    input.port = 80;
    ASSERT_TRUE(table.router->match(input, &match));
    EXPECT_EQ(match.route, 1U);
  }
}

TEST(RouterHeaders, NamesAndValuesMatchWhateverTheirCase) {
  Route route;
  route.headers = {{"x_tenant", {"Blue", "green"}}};
  const RouteTable table = table_of({route});
  EXPECT_EQ(table.find({.headers = {{"X-Tenant", "BLUE"}}}), 0);
  EXPECT_EQ(table.find({.headers = {{"x-tenant", "red"}, {"x-tenant", "green"}}}), 0);
  EXPECT_EQ(table.find({.headers = {{"x-tenant", "red"}}}), -1);
  EXPECT_EQ(table.find({}), -1);
}

TEST(RouterSnis, CountWithTlsAlone) {
  Route route;
  route.snis = {"a.test."};
  const RouteTable table = table_of({route});
  EXPECT_EQ(table.find({.scheme = "https", .sni = "a.test"}), 0);
  EXPECT_EQ(table.find({.scheme = "https", .sni = "b.test"}), -1);
  EXPECT_EQ(table.find({.scheme = "https"}), -1);
  EXPECT_EQ(table.find({.scheme = "http"}), 0);
}

TEST(RouterAddresses, MatchRangesAndPorts) {
  Route range, port;
  range.sources = {{"192.0.2.0/28", -1}};
  port.sources = {{"192.0.2.3", 4000}};
  port.destinations = {{"", 9000}};
  const RouteTable table = table_of({range, port});
  const auto find = [&table](const char* address, std::uint16_t source_port, std::uint16_t destination_port) {
    sockaddr_in source{}, destination{};
    source.sin_family = destination.sin_family = AF_INET;
    inet_pton(AF_INET, address, &source.sin_addr);
    source.sin_port = htons(source_port);
    destination.sin_port = htons(destination_port);
    MatchInput input;
    input.path = "/";
    input.source = reinterpret_cast<const sockaddr*>(&source);
    input.destination = reinterpret_cast<const sockaddr*>(&destination);
    Match match;
    return table.router->match(input, &match) ? static_cast<int>(match.route) : -1;
  };
  EXPECT_EQ(find("192.0.2.3", 4000, 9000), 1);
  EXPECT_EQ(find("192.0.2.3", 4001, 9000), 0);
  EXPECT_EQ(find("192.0.2.15", 1, 1), 0);
  EXPECT_EQ(find("192.0.2.16", 1, 1), -1);
}

TEST(RouterCaptures, AreReportedWithTheirNames) {
  const RouteTable table = table_of({with_paths({"~/u/(?<id>\\d+)(/x)?/(\\w+)"})});
  Match match;
  std::string path;
  ASSERT_TRUE(table.match({.target = "/u/42/tail/more"}, &match, &path));
  EXPECT_EQ(match.matched_length, 10U);
  ASSERT_EQ(match.capture_count, 3U);
  EXPECT_EQ(path.substr(match.captures[0].begin, match.captures[0].length), "42");
  EXPECT_EQ(match.captures[1].begin, kNone);
  EXPECT_EQ(path.substr(match.captures[2].begin, match.captures[2].length), "tail");
  EXPECT_EQ(table.router->capture_name(match, 0), "id");
  EXPECT_EQ(table.router->capture_name(match, 1), "");
}

TEST(RouterCaptures, AreThoseOfTheWinner) {
  Route loser = with_paths({"~/(\\w+)/(\\w+)"}), winner = with_paths({"~/(\\w+)/x"});
  winner.regex_priority = 9;
  const RouteTable table = table_of({loser, winner, with_paths({"/a"})});
  Match match;
  ASSERT_TRUE(table.match({.target = "/a/x"}, &match));
  EXPECT_EQ(match.route, 1U);
  EXPECT_EQ(match.capture_count, 1U);
  Route two_kinds = with_paths({"/a"});
  two_kinds.methods = {"GET"};
  const RouteTable other = table_of({loser, two_kinds});
  ASSERT_TRUE(other.match({.target = "/a/x"}, &match));
  EXPECT_EQ(match.route, 1U);
  EXPECT_EQ(match.capture_count, 0U);
  EXPECT_EQ(match.matched_length, 2U);
}

TEST(RouterCaptures, CanBeFoundAgain) {
  const RouteTable table = table_of({with_paths({"~/(?<a>\\w+)/x|/(?<b>\\d+)/y", "~/plain"})});
  Match match, again;
  Match::Capture whole;
  std::string path;
  ASSERT_TRUE(table.match({.target = "/42/y/rest"}, &match, &path));
  ASSERT_TRUE(table.router->find_captures(match.pattern, path, &again, &whole));
  EXPECT_EQ(path.substr(whole.begin, whole.length), "/42/y");
  ASSERT_EQ(again.capture_count, 2U);
  EXPECT_EQ(again.captures[0].begin, kNone);
  EXPECT_EQ(path.substr(again.captures[1].begin, again.captures[1].length), "42");
  EXPECT_EQ(table.router->capture_name(again, 1), "b");
  EXPECT_FALSE(table.router->find_captures(match.pattern, "/elsewhere", &again, &whole));
  ASSERT_TRUE(table.match({.target = "/plain"}, &match, &path));
  EXPECT_FALSE(table.router->find_captures(match.pattern, path, &again, &whole)) << "it has no groups";
}

TEST(RouterCaptures, MoreGroupsThanFitAreCut) {
  std::string pattern = "~/";
  for (int i = 0; i < 20; ++i) pattern += "(\\w)";
  const RouteTable table = table_of({with_paths({pattern})});
  Match match;
  ASSERT_TRUE(table.match({.target = "/abcdefghijklmnopqrst"}, &match));
  ASSERT_EQ(match.capture_count, Match::kMaxCaptures);
  EXPECT_EQ(match.captures[15].begin, 16U);
  EXPECT_EQ(match.matched_length, 21U);
}

Outcome outcome(std::vector<std::string> protocols, const Request& request) {
  Route route = with_paths({"/"});
  route.protocols = std::move(protocols);
  const RouteTable table = table_of({route});
  Match match;
  EXPECT_TRUE(table.match(request, &match));
  return match.outcome;
}

TEST(RouterOutcome, SaysWhatTheProtocolsDemand) {
  EXPECT_EQ(outcome({"http", "https"}, {}), Outcome::kServe);
  EXPECT_EQ(outcome({"http"}, {.scheme = "https"}), Outcome::kServe);
  EXPECT_EQ(outcome({"https"}, {}), Outcome::kHttpsRequired);
  EXPECT_EQ(outcome({"https"}, {.scheme = "https"}), Outcome::kServe);
  EXPECT_EQ(outcome({"grpc", "grpcs"}, {}), Outcome::kGrpcRequired);
  EXPECT_EQ(outcome({"grpc"}, {.http_major = 1, .grpc = true}), Outcome::kHttp2Required);
  EXPECT_EQ(outcome({"grpc"}, {.http_major = 2, .grpc = true}), Outcome::kServe);
  EXPECT_EQ(outcome({"grpcs"}, {.http_major = 2, .grpc = true}), Outcome::kGrpcsRequired);
  EXPECT_EQ(outcome({"grpcs"}, {.scheme = "https", .http_major = 2, .grpc = true}), Outcome::kServe);
}

TEST(RouterOutcome, TrustsTheForwardedScheme) {
  Route route = with_paths({"/"});
  route.protocols = {"https"};
  const RouteTable table = table_of({route});
  MatchInput input;
  input.path = "/";
  input.forwarded_scheme = "https";
  Match match;
  ASSERT_TRUE(table.router->match(input, &match));
  EXPECT_EQ(match.outcome, Outcome::kServe);
}

TEST(RouterSnis, DoNotCountWithoutTls) {
  Route with_sni = with_hosts({"a.test"}), without = with_hosts({"a.test"});
  with_sni.snis = {"a.test", "Dot.test."};
  const RouteTable alone = table_of({with_sni});
  EXPECT_EQ(alone.find({.host = "a.test"}), 0);
  EXPECT_EQ(alone.find({.host = "a.test", .scheme = "https", .sni = "a.test"}), 0);
  EXPECT_EQ(alone.find({.host = "a.test", .scheme = "https", .sni = "dot.test"}), 0);
  EXPECT_EQ(alone.find({.host = "a.test", .scheme = "https", .sni = "b.test"}), -1);
  EXPECT_EQ(alone.find({.host = "a.test", .scheme = "https"}), -1);
  // It shadows none that is like it but for the SNIs.
  const RouteTable both = table_of({with_sni, without});
  EXPECT_EQ(both.find({.host = "a.test"}), 1);
  EXPECT_EQ(both.find({.host = "a.test", .scheme = "https", .sni = "a.test"}), 0);
  EXPECT_EQ(both.find({.host = "a.test", .scheme = "https", .sni = "b.test"}), 1);
  // What it names beside them counts as ever.
  with_sni.paths = {"/x"};
  EXPECT_EQ(table_of({with_sni, without}).find({.host = "a.test", .target = "/x"}), 0);
}

TEST(RouterProblems, LeaveOneRouteOutAndTheOthersServing) {
  RouteTable table;
  table.add(with_paths({"~/a/("})).name = "broken";
  table.add(with_hosts({"a.*.test"}));
  table.add(with_hosts({"a.test:port"}));
  table.add({});
  Route pattern;
  pattern.headers = {{"x-a", {"~*("}}};
  table.add(pattern);
  table.add(with_paths({"/"}));
  table.build();
  ASSERT_EQ(table.problems.size(), 5U);
  EXPECT_NE(table.problems[0].message.find("route 'broken' is left out: invalid regex '/a/('"), std::string::npos);
  EXPECT_EQ(table.problems[0].field, "paths");
  EXPECT_EQ(table.problems[1].field, "hosts");
  EXPECT_EQ(table.problems[4].field, "headers.x-a");
  EXPECT_EQ(table.find({}), 5);
}

TEST(RouterService, IsMissingWhereTheRouteNamesNoneThatIs) {
  RouteTable table;
  table.add(with_paths({"/a"}));
  table.add(with_paths({"/b"})).service_id.clear();
  table.add(with_paths({"/c"})).service_id = "gone";
  table.build();
  Match match;
  ASSERT_TRUE(table.match({.target = "/a"}, &match));
  EXPECT_EQ(match.service, 0U);
  for (const char* target : {"/b", "/c"}) {
    ASSERT_TRUE(table.match({.target = target}, &match));
    EXPECT_EQ(match.service, kNone);
  }
}

TEST(RouterService, IsNotThereWhileItIsDisabled) {
  RouteTable table;
  table.add(with_paths({"/a"}));
  table.add(with_paths({"/"}));
  table.services[0].enabled = false;
  table.build();
  EXPECT_EQ(table.find({.target = "/a"}), 1);
  EXPECT_TRUE(table.problems.empty());
}

}  // namespace
}  // namespace gibbon::gateway::test
