// GET /consumers?custom_id=...: the consumer that another system knows by that id.
#include "agent/admin/api.hpp"
#include "agent/admin/reply.hpp"

namespace gibbon::agent {

void add_consumer_endpoints(Endpoints& endpoints, Host& host) {
  endpoints.wrap("GET", "/consumers", [&host](Call& call, const Endpoint& former) {
    const auto custom_id = call.argument("custom_id");
    if (!custom_id) return former(call);
    if (custom_id->empty()) return message_reply(400, "custom_id must be an unempty string");
    json::array found;
    if (const auto row = host.store().read()->find_by("consumers", "custom_id", *custom_id)) found.push_back(*row);
    return json_reply(200, json::object{{"data", std::move(found)}, {"next", nullptr}});
  });
}

}  // namespace gibbon::agent
