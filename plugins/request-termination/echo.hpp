#pragma once

#include <string>
#include <string_view>

#include "gibbon/exchange.hpp"

namespace request_termination {

/// Whether the request has a header or a query argument of that name. Phase: access.
bool has_trigger(gibbon::Exchange& exchange, std::string_view name);

/// The request as a JSON object: message, kong, request, matched_route, matched_service. Phase: access, with the body.
std::string echo(gibbon::Exchange& exchange, std::string_view message);

}  // namespace request_termination
