#pragma once

#include <string>

#include "base/paths.hpp"

namespace gibbon {

/// The UUID in PREFIX/gibbon.id, made where there is none: what Kong calls a node's id. The same for all processes of a
/// gateway, and across restarts.
std::string node_id(const Paths& paths);

}  // namespace gibbon
