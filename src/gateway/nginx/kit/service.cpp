#include "gateway/nginx/kit/service.hpp"

#include "gateway/nginx/context.hpp"

namespace gibbon::nginx {

bool ServiceAdapter::set_upstream(std::string_view) { throw std::logic_error("set_upstream() is not there yet"); }
void ServiceAdapter::set_target(std::string_view, std::uint16_t) { throw std::logic_error("set_target() is not there yet"); }
void ServiceAdapter::set_retries(std::uint32_t) { throw std::logic_error("set_retries() is not there yet"); }
void ServiceAdapter::set_timeouts(std::chrono::milliseconds, std::chrono::milliseconds, std::chrono::milliseconds) {
  throw std::logic_error("set_timeouts() is not there yet");
}

int ServiceResponseAdapter::status() const { return 0; }
std::string_view ServiceResponseAdapter::header(std::string_view) const { return {}; }
void ServiceResponseAdapter::each_header(HeaderVisitor) const {}

const RouteView* RouterAdapter::route() const { return nullptr; }
const ServiceView* RouterAdapter::service() const { return nullptr; }

}  // namespace gibbon::nginx
