#pragma once

#include <vector>

#include "agent/admin/api.hpp"
#include "agent/store/catalog.hpp"
#include "base/json.hpp"

namespace gibbon::agent {

/// The Admin API as an OpenAPI 3.1 document, made of what it serves and of the rows of its entities and
/// plugins. Threads: any.
json::object openapi(const std::vector<ServedPath>& served, const Catalog& catalog);

}  // namespace gibbon::agent
