#pragma once

#include <string>

#include "agent/admin/host.hpp"

namespace gibbon::agent {

/// What plugins have counted in all workers, in Prometheus' text format: the families of each plugin that is loaded and
/// has an enabled configuration. Threads: any.
std::string plugin_metrics(Host& host);

}  // namespace gibbon::agent
