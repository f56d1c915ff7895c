// What upstreams and targets have beside the generated endpoints: Kong's order of targets, health, and
// setting it.
#include <charconv>

#include "agent/admin/api.hpp"
#include "agent/admin/entity_service.hpp"
#include "agent/admin/page_query.hpp"
#include "agent/admin/reply.hpp"
#include "agent/upstream_health.hpp"

namespace gibbon::agent {
namespace {

constexpr const char* kTargets = "/upstreams/{upstreams}/targets";

Row upstream_in(const Call& call, const Image& image) {
  const auto& upstreams = image.collections().at("upstreams");
  return find_entity(image, upstreams, entity_key(upstreams, call.params.find("upstreams")->second));
}

bool has_tags(const json::object& row, const PageQuery& query) {
  if (query.tags.empty()) return true;
  const auto* own = row.if_contains("tags");
  const auto has = [&](const std::string& tag) {
    if (own == nullptr || !own->is_array()) return false;
    const auto& list = own->get_array();
    return std::any_of(list.begin(), list.end(),
                       [&](const json::value& each) { return each == json::value(tag); });
  };
  return query.tag_match == PageQuery::TagMatch::kAny
             ? std::any_of(query.tags.begin(), query.tags.end(), has)
             : std::all_of(query.tags.begin(), query.tags.end(), has);
}

/// The targets from `offset` on, which is a plain number here, as in Kong. `show` makes what stands in
/// `data`.
template <typename Show>
Page page_of(const std::vector<Row>& rows, const PageQuery& query, Show show) {
  std::size_t at = 0;
  std::from_chars(query.offset.data(), query.offset.data() + query.offset.size(), at);
  Page page;
  std::size_t seen = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!has_tags(*rows[i], query) || seen++ < at) continue;
    if (page.data.size() == static_cast<std::size_t>(query.size)) {
      page.offset = std::to_string(at + page.data.size());
      break;
    }
    page.data.push_back(show(i));
  }
  return page;
}

std::string path_below(const Call& call, const char* last) {
  return "/upstreams/" + http::percent_encode(call.params.find("upstreams")->second) + "/" + last;
}

http::Response list_targets(Host& host, Call& call) {
  const auto image = host.store().read();
  const auto upstream = upstream_in(call, *image);
  if (upstream == nullptr) return not_found_reply();
  const auto query = read_page_query(call);
  if (!query.ok()) return error_reply(query.error());
  const auto rows = targets_of(*image, text_of(*upstream, "id"));
  return page_reply(call, path_below(call, "targets"),
                    page_of(rows, query.value(), [&](std::size_t i) { return *rows[i]; }));
}

http::Response list_all_targets(Host& host, Call& call) {
  const auto image = host.store().read();
  const auto upstream = upstream_in(call, *image);
  if (upstream == nullptr) return not_found_reply();
  auto query = read_page_query(call);
  if (!query.ok()) return error_reply(query.error());
  query.value().foreign_field = "upstream";
  query.value().foreign_id = text_of(*upstream, "id");
  const auto page = image->page("targets", query.value());
  return page.ok() ? page_reply(call, path_below(call, "targets/all"), page.value())
                   : error_reply(page.error());
}

http::Response show_health(Host& host, Call& call) {
  const auto image = host.store().read();
  const auto upstream = upstream_in(call, *image);
  if (upstream == nullptr) return not_found_reply();
  const auto health = UpstreamHealth::read(host, *image, upstream);
  if (call.argument("balancer_health") == "1")
    return json_reply(
        200, json::object{{"data", health.balancer()}, {"next", nullptr}, {"node_id", host.node_id()}});
  const auto query = read_page_query(call);
  if (!query.ok()) return error_reply(query.error());
  const auto page = page_of(health.rows, query.value(), [&](std::size_t i) {
    json::object shown = *health.rows[i];
    shown["health"] = health.targets[i].state();
    shown["data"] = health.targets[i].details();
    return shown;
  });
  json::object body{{"data", page.data}, {"next", nullptr}, {"node_id", host.node_id()}};
  if (!page.offset.empty()) {
    body["offset"] = page.offset;
    body["next"] = path_below(call, "health") + "?offset=" + page.offset;
  }
  return json_reply(200, body);
}

/// The target that the path names: an id, or "host:port". Null where the upstream has none.
const TargetHealth* target_in(const Call& call, const UpstreamHealth& health) {
  const std::string& wanted = call.params.find("targets")->second;
  for (std::size_t i = 0; i < health.rows.size(); ++i)
    if (text_of(*health.rows[i], "id") == wanted || health.targets[i].plan.target == wanted)
      return &health.targets[i];
  return nullptr;
}

http::Response set_health(Host& host, Call& call, config::Health::State state) {
  const auto image = host.store().read();
  const auto upstream = upstream_in(call, *image);
  if (upstream == nullptr) return not_found_reply();
  const auto health = UpstreamHealth::read(host, *image, upstream);
  const auto* target = target_in(call, health);
  if (target == nullptr) return not_found_reply();
  if (!target->checked || host.health() == nullptr)
    return message_reply(400, "no healthchecker found for " + health.upstream.name);

  std::string ip;  // Of one address alone; empty: all of the target's.
  std::uint16_t port = target->plan.port;
  if (const auto address = call.params.find("address"); address != call.params.end()) {
    config::Target text;
    text.target = address->second;
    const auto place = config::TargetPlan::parse(text);
    ip = config::literal_address(place.host).value_or("");
    port = place.port;
  }
  for (const AddressHealth& address : target->addresses) {
    if (!ip.empty() && (address.ip != ip || address.port != port)) continue;
    // No worker may have begun to use it.
    if (host.health()->force(address.key, state)) continue;
    if (host.health()->claim(address.key) != nullptr) host.health()->force(address.key, state);
  }
  return no_content_reply();
}

}  // namespace

void add_upstream_endpoints(Endpoints& endpoints, Host& host) {
  endpoints.add("GET", "/upstreams/{upstreams}/health",
                [&host](Call& call) { return show_health(host, call); });
  endpoints.add("GET", kTargets, [&host](Call& call) { return list_targets(host, call); });
  endpoints.add("GET", std::string(kTargets) + "/all",
                [&host](Call& call) { return list_all_targets(host, call); });
  const auto settable = [&](const std::string& below, const char* word, config::Health::State state) {
    endpoints.add("PUT", kTargets + below + "/" + word,
                  [&host, state](Call& call) { return set_health(host, call, state); });
  };
  for (const char* below : {"/{targets}", "/{targets}/{address}"}) {
    settable(below, "healthy", config::Health::State::kHealthy);
    settable(below, "unhealthy", config::Health::State::kUnhealthy);
  }
}

}  // namespace gibbon::agent
