#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "gibbon/plugin.hpp"

gibbon::Schema prometheus_schema();

namespace {

using namespace gibbon;

constexpr std::string_view kWorkspace = "default";

struct Config {
  explicit Config(const ConfigView& view)
      : per_consumer(view.boolean("per_consumer")),
        status_codes(view.boolean("status_code_metrics")),
        latencies(view.boolean("latency_metrics")),
        bandwidth(view.boolean("bandwidth_metrics")) {}

  bool per_consumer, status_codes, latencies, bandwidth;
};

/// The places of metrics().
enum Family : std::size_t { kRequests, kGatewayLatency, kUpstreamLatency, kRequestLatency, kBandwidth };

/// What most of the labels are.
struct Subject {
  std::string_view service, route, consumer;
};

void count_bytes(Metrics& metrics, const Subject& subject, std::string_view direction, std::uint64_t bytes) {
  if (bytes == 0) return;
  const std::array labels{subject.service, subject.route, direction, kWorkspace, subject.consumer};
  metrics.add(kBandwidth, labels, static_cast<double>(bytes));
}

void count_status(Exchange& exchange, Metrics& metrics, const Subject& subject) {
  std::array<char, 12> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), exchange.response().status()).ptr;
  const std::string_view code(text.data(), static_cast<std::size_t>(end - text.data()));
  const bool from_service = exchange.response().source() == Response::Source::kService;
  const std::array labels{subject.service,           subject.route, code,
                          std::string_view(from_service ? "service" : "kong"), kWorkspace, subject.consumer};
  metrics.add(kRequests, labels);
}

void count_times(Metrics& metrics, const Subject& subject, const Timings& timings) {
  const std::array labels{subject.service, subject.route, kWorkspace};
  metrics.add(kRequestLatency, labels, static_cast<double>(timings.request_ms));
  if (timings.upstream_ms >= 0) metrics.add(kUpstreamLatency, labels, static_cast<double>(timings.upstream_ms));
  metrics.add(kGatewayLatency, labels, static_cast<double>(timings.gateway_ms));
}

struct Handler {
  static constexpr int PRIORITY = 13;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;

  static void log(Exchange& exchange, const Config& config) {
    const RouteView* route = exchange.router().route();
    if (route == nullptr) return;
    const ServiceView* service = exchange.router().service();
    Subject subject;
    subject.route = route->name.empty() ? route->id : route->name;
    if (service != nullptr) subject.service = service->name.empty() ? service->host : service->name;
    if (const Consumer* consumer = exchange.client().consumer(); config.per_consumer && consumer != nullptr)
      subject.consumer = consumer->username;
    Metrics& metrics = exchange.node().metrics();
    const Timings timings = exchange.timings();
    if (config.bandwidth) {
      count_bytes(metrics, subject, "ingress", timings.bytes_received);
      count_bytes(metrics, subject, "egress", timings.bytes_sent);
    }
    if (config.status_codes) count_status(exchange, metrics, subject);
    if (config.latencies) count_times(metrics, subject, timings);
  }

  static std::vector<MetricFamily> metrics() {
    const std::vector<double> gateway = {1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000, 3000, 6000};
    const std::vector<double> upstream = {25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10000, 30000, 60000};
    using enum MetricFamily::Type;
    return {
        {kCounter, "kong_http_requests_total", "Requests by service, route, status and who answered.",
         {"service", "route", "code", "source", "workspace", "consumer"}, {}},
        {kHistogram, "kong_kong_latency_ms", "Milliseconds that the gateway and its plugins took.",
         {"service", "route", "workspace"}, gateway},
        {kHistogram, "kong_upstream_latency_ms", "Milliseconds until the upstream began to answer.",
         {"service", "route", "workspace"}, upstream},
        {kHistogram, "kong_request_latency_ms", "Milliseconds that requests took in all.",
         {"service", "route", "workspace"}, upstream},
        {kCounter, "kong_bandwidth_bytes", "Bytes received from clients (ingress) and sent to them (egress).",
         {"service", "route", "direction", "workspace", "consumer"}, {}},
    };
  }
};

}  // namespace

GIBBON_PLUGIN("prometheus", Handler, Config, prometheus_schema)
