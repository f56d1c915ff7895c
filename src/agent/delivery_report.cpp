#include "agent/delivery_report.hpp"

#include <fmt/format.h>

#include <iterator>
#include <map>

namespace gibbon::agent {
namespace {

using State = EndpointMetrics::State;

constexpr std::pair<State, const char*> kStates[] = {
    {State::kDirect, "direct"}, {State::kSpooling, "spooling"}, {State::kAway, "away"}};

const char* name_of(State state) {
  for (const auto& [value, name] : kStates)
    if (value == state) return name;
  return "";
}

/// A label's value as the text format wants it.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

/// Each endpoint's own labels: destinations may differ in their timeouts alone.
std::vector<std::string> endpoint_labels(const DeliveryMetrics& metrics) {
  std::map<std::string_view, int> seen;
  std::vector<std::string> labels;
  for (const auto& endpoint : metrics.endpoints) {
    auto text = fmt::format("url=\"{}\"", label(endpoint.url));
    if (const int copy = ++seen[endpoint.url]; copy > 1) text += fmt::format(",queue=\"{}\"", copy);
    labels.push_back(std::move(text));
  }
  return labels;
}

class Text {
 public:
  void family(const char* name, const char* type, const char* help) {
    name_ = name;
    fmt::format_to(std::back_inserter(out_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }
  void sample(std::uint64_t value, const std::string& labels = "") {
    out_ += name_;
    if (!labels.empty()) out_ += "{" + labels + "}";
    out_ += " " + std::to_string(value) + "\n";
  }
  std::string take() { return std::move(out_); }

 private:
  const char* name_ = "";
  std::string out_;
};

}  // namespace

json::object delivery_status(const DeliveryMetrics& metrics) {
  json::object dropped;
  for (const auto& [reason, count] : metrics.dropped) dropped[reason] = count;
  json::array endpoints;
  for (const auto& endpoint : metrics.endpoints)
    endpoints.push_back(
        json::object{{"url", endpoint.url},
                     {"state", name_of(endpoint.state)},
                     {"in_flight", endpoint.in_flight},
                     {"queued_entries", endpoint.queued_entries},
                     {"queued_bytes", endpoint.queued_bytes},
                     {"spool_entries", endpoint.spool_entries},
                     {"spool_bytes", endpoint.spool_bytes},
                     {"delivered", endpoint.delivered},
                     {"retries", endpoint.retries},
                     {"lag_ms", endpoint.lag_ms},
                     {"last_error", endpoint.last_error.empty() ? json::value(nullptr)
                                                                : json::value(endpoint.last_error)}});
  json::object entries{{"captured", metrics.captured},
                       {"delivered", metrics.delivered},
                       {"dropped", std::move(dropped)},
                       {"pending",
                        {{"ring", metrics.pending_ring},
                         {"memory", metrics.pending_memory},
                         {"spool", metrics.pending_spool}}}};
  return {{"log_entries", std::move(entries)},
          {"rings", metrics.rings},
          {"fullest_ring_percent", metrics.fullest_ring_percent},
          {"log_endpoints", std::move(endpoints)}};
}

std::string delivery_metrics(const DeliveryMetrics& metrics) {
  Text out;
  out.family("gibbon_log_entries_captured_total", "counter",
             "Exchanges that were to be logged; delivered + dropped + pending.");
  out.sample(metrics.captured);
  out.family("gibbon_log_entries_delivered_total", "counter",
             "Entries that a log endpoint has acknowledged.");
  out.sample(metrics.delivered);
  out.family("gibbon_log_entries_dropped_total", "counter", "Entries that were lost, by reason.");
  for (const auto& [reason, count] : metrics.dropped)
    out.sample(count, fmt::format("reason=\"{}\"", label(reason)));
  out.family("gibbon_log_entries_pending", "gauge", "Entries that are not delivered yet, by where they are.");
  out.sample(metrics.pending_ring, "where=\"ring\"");
  out.sample(metrics.pending_memory, "where=\"memory\"");
  out.sample(metrics.pending_spool, "where=\"spool\"");
  out.family("gibbon_rings", "gauge", "Rings in shared memory, one for each worker slot in use.");
  out.sample(metrics.rings);
  out.family("gibbon_ring_fullest_percent", "gauge", "How full the fullest ring is.");
  out.sample(metrics.fullest_ring_percent);

  const auto labels = endpoint_labels(metrics);
  const auto each = [&](const char* name, const char* type, const char* help, auto value) {
    if (metrics.endpoints.empty()) return;
    out.family(name, type, help);
    for (std::size_t i = 0; i < labels.size(); ++i) out.sample(value(metrics.endpoints[i]), labels[i]);
  };
  if (!metrics.endpoints.empty()) {
    out.family("gibbon_log_endpoint_state", "gauge", "1 for the state that the endpoint is in.");
    for (std::size_t i = 0; i < labels.size(); ++i)
      for (const auto& [state, name] : kStates)
        out.sample(metrics.endpoints[i].state == state ? 1 : 0,
                   fmt::format("{},state=\"{}\"", labels[i], name));
  }
  each("gibbon_log_endpoint_in_flight", "gauge", "Sends under way.",
       [](const auto& e) { return e.in_flight; });
  each("gibbon_log_endpoint_queued_entries", "gauge", "Entries in memory that wait for a send.",
       [](const auto& e) { return e.queued_entries; });
  each("gibbon_log_endpoint_queued_bytes", "gauge", "Bytes in memory that wait for a send.",
       [](const auto& e) { return e.queued_bytes; });
  each("gibbon_log_endpoint_spool_entries", "gauge", "Entries on disk.",
       [](const auto& e) { return e.spool_entries; });
  each("gibbon_log_endpoint_spool_bytes", "gauge", "Bytes on disk.",
       [](const auto& e) { return e.spool_bytes; });
  each("gibbon_log_endpoint_delivered_total", "counter",
       "Entries that it has acknowledged since the agent started.",
       [](const auto& e) { return e.delivered; });
  each("gibbon_log_endpoint_retries_total", "counter", "Sends that failed and were or will be done again.",
       [](const auto& e) { return e.retries; });
  each("gibbon_log_endpoint_lag_milliseconds", "gauge", "Age of the oldest entry that waits.",
       [](const auto& e) { return e.lag_ms; });
  return out.take();
}

}  // namespace gibbon::agent
