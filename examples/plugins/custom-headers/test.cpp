#include "gibbon/testing.hpp"

extern "C" const gibbon::PluginDescriptor* gibbon_plugin();

using gibbon::testing::expect;
using gibbon::testing::expect_equal;
using gibbon::testing::Gateway;

int main() {
  Gateway gateway(*gibbon_plugin(), R"({"headers": {"X-Kong-Plugin": "custom-headers"}, "timestamp": "X-Timestamp"})");
  gateway.upstream([](const auto&) -> gibbon::testing::UpstreamAnswer {
    return {.status = 201, .headers = {{"x-kong-plugin", "of the upstream"}}, .chunks = {"made"}};
  });
  const auto answer = gateway.send({.method = "POST", .target = "/things", .body = "{}"});
  expect_equal(answer.status, 201);
  expect_equal(answer.body, "made");
  expect_equal(answer.header("X-Kong-Plugin"), "custom-headers");
  expect_equal(answer.header("X-Timestamp"), std::to_string(gateway.now_ms() / 1000));

  try {
    Gateway wrong(*gibbon_plugin(), "{}");
    expect(false);
  } catch (const std::invalid_argument& refused) {
    expect_equal(std::string(refused.what()), "schema violation (config.headers: required field missing)");
  }
  return gibbon::testing::failures();
}
