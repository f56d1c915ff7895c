#include "gibbon/typedefs.hpp"

using namespace gibbon::fields;

// clang-format off
gibbon::Schema prometheus_schema() {
  const auto flag = [](const char* text) { return boolean().default_value(false).description(text); };
  return record({
      {"per_consumer", flag("Whether kong_http_requests_total and kong_bandwidth_bytes tell consumers apart.")},
      {"status_code_metrics", flag("Whether requests are counted by status: kong_http_requests_total.")},
      {"ai_metrics", flag("Whether requests to language models are counted. No plugin here makes any yet.")},
      {"latency_metrics", flag("Whether times are counted: kong_request_latency_ms, kong_kong_latency_ms and "
                               "kong_upstream_latency_ms.")},
      {"bandwidth_metrics", flag("Whether bytes are counted: kong_bandwidth_bytes.")},
      {"upstream_health_metrics", flag("Taken as Kong does. The targets' health is shown in any case.")},
      {"wasm_metrics", flag("Taken as Kong does. No Wasm runs here.")},
  }).in_entity({{"protocols", gibbon::typedefs::protocols()}});
}
// clang-format on
