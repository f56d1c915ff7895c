#pragma once

#include <memory>

#include "gateway/nginx/context.hpp"

// Where the requests of a service go: to its own host, or to another one that a plugin has chosen.
namespace gibbon::nginx {

/// The target of the request's service, which lives as long as its generation.
UpstreamTarget* service_target(Context& ctx);

/// The same service at another upstream, or at another host. A service keeps some of those that were chosen, with their
/// TLS sessions; a request keeps its own. The request must have a service.
std::shared_ptr<UpstreamTarget> chosen_target(Context& ctx, const gateway::UpstreamPlan& upstream);
std::shared_ptr<UpstreamTarget> chosen_target(Context& ctx, std::string_view host, std::uint16_t port);

}  // namespace gibbon::nginx
