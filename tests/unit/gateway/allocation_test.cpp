// Routing allocates nothing: the hot path is measured with the allocator itself.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "gateway/consumers/entity_index.hpp"
#include "gibbon/fields.hpp"
#include "route_table.hpp"

namespace {
thread_local std::size_t allocations = 0;
}

#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // Where they are inlined, malloc and free show through.

// The whole test program counts. With a sanitizer the other forms would go to its own allocator: none may be left that
// is freed here.
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size != 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size != 0 ? size : 1);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace gibbon::gateway::test {
namespace {

TEST(RouterAllocations, AreNone) {
  RouteTable table;
  for (int i = 0; i < 50; ++i) {
    config::Route route;
    route.hosts = {"h" + std::to_string(i) + ".test", "*.w" + std::to_string(i) + ".test"};
    route.paths = {"/p" + std::to_string(i), "~/x" + std::to_string(i) + "/(?<id>\\d+)"};
    route.methods = {"GET"};
    route.headers = {{"x-tenant", {"t" + std::to_string(i)}}};
    table.add(route);
  }
  table.build();
  Request request;
  request.headers = {{"X-Tenant", "t7"}};
  MatchInput input;
  input.method = "GET";
  input.headers = {&Request::each_header, &request};
  Match match;
  struct Try { std::string_view host, path; bool found; };
  for (const Try& each : {Try{"h7.test", "/p7/more", true}, {"a.w7.test", "/x7/123", true}, {"h8.test", "/p8", false},
                          {"nobody.test", "/none", false}}) {
    input.host = each.host;
    input.path = each.path;
    const std::size_t before = allocations;
    const bool found = table.router->match(input, &match);
    EXPECT_EQ(allocations - before, 0U) << each.host << each.path;
    EXPECT_EQ(found, each.found) << each.host << each.path;
  }
  const std::size_t before = allocations;
  ::operator delete(::operator new(1));
  EXPECT_EQ(allocations - before, 1U) << "the allocator does not count";
}

TEST(EntityAllocations, AreNone) {
  config::Snapshot snapshot;
  snapshot.consumers = {{{}, "c1", "ada", ""}};
  snapshot.plugin_entities["keys"] = {std::make_shared<const config::PluginEntity>(
      config::PluginEntity{"k1", "c1", 0, {{"key", "a key that is too long to be kept in the string itself"}}})};
  const std::vector<Entity> kinds = {{.name = "keys",
                                      .schema = fields::record({{"key", fields::string().unique()}}),
                                      .endpoint_key = "key"}};
  const EntityIndex index(snapshot, kinds);
  const std::size_t before = allocations;
  const EntityView* found = index.find("keys", "a key that is too long to be kept in the string itself", 1);
  std::size_t rows = 0;
  const auto count = [&rows](const EntityView&) { ++rows; };
  index.each_of_consumer("keys", *index.find_consumer("ada"), 1, count);
  EXPECT_EQ(allocations - before, 0U);
  EXPECT_NE(found, nullptr);
  EXPECT_EQ(rows, 1U);
}

}  // namespace
}  // namespace gibbon::gateway::test
