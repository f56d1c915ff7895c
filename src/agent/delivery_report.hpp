#pragma once

#include <string>

#include "agent/delivery/metrics.hpp"
#include "base/json.hpp"

namespace gibbon::agent {

/// The `gibbon` object of /status: where every recorded exchange is, and how the endpoints do.
json::object delivery_status(const DeliveryMetrics& metrics);
/// The same for /metrics, in Prometheus' text format.
std::string delivery_metrics(const DeliveryMetrics& metrics);

}  // namespace gibbon::agent
