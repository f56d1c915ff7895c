#include "gibbon/testing.hpp"

extern "C" const gibbon::PluginDescriptor* gibbon_plugin();

using gibbon::testing::expect;
using gibbon::testing::expect_equal;
using gibbon::testing::Gateway;

int main() {
  Gateway gateway(*gibbon_plugin(), R"({"log_endpoint": "http://logs.test/", "body_fields": ["password"]})");
  const auto answer = gateway.send({.method = "POST",
                                    .target = "/login?token=abc&page=1",
                                    .headers = {{"X-Session", "s3cr3t"}, {"Content-Type", "application/json"}},
                                    .body = R"({"user": "ann", "password": "hunter2"})"});
  // What the upstream gets is whole.
  expect_equal(answer.upstream.query, "token=abc&page=1");
  expect_equal(answer.upstream.body, R"({"user": "ann", "password": "hunter2"})");

  if (expect(answer.entries.size() == 1)) {
    const std::string& entry = answer.entries[0];
    expect(entry.find(R"("target":"/login?token=%5BREDACTED%5D&page=1")") != std::string::npos);
    expect(entry.find(R"("X-Session":"[REDACTED]")") != std::string::npos);
    expect(entry.find("ann") != std::string::npos);
    for (const char* secret : {"abc", "s3cr3t", "hunter2"}) expect(entry.find(secret) == std::string::npos);
  }
  expect_equal(gateway.destination().url, "http://logs.test/");
  return gibbon::testing::failures();
}
