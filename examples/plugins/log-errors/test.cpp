#include "gibbon/testing.hpp"

extern "C" const gibbon::PluginDescriptor* gibbon_plugin();

using gibbon::testing::expect;
using gibbon::testing::expect_equal;
using gibbon::testing::Gateway;

int main() {
  Gateway gateway(*gibbon_plugin(), R"({"log_endpoint": "http://logs.test/", "min_status": 500})");
  int status = 200;
  gateway.upstream([&](const auto&) -> gibbon::testing::UpstreamAnswer { return {.status = status}; });
  for (const int quiet : {200, 301, 404, 499}) {
    status = quiet;
    expect(gateway.send({.target = "/quiet"}).entries.empty());
  }
  status = 503;
  const auto answer = gateway.send({.method = "PUT", .target = "/loud"});
  expect_equal(answer.status, 503);
  if (expect(answer.entries.size() == 1))
    expect_equal(answer.entries[0],
                 R"({"time":"2025-06-15T15:06:40.000Z","method":"PUT","target":"/loud","status":503})");
  return gibbon::testing::failures();
}
