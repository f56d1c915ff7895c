// /certificates/{certificates}: a certificate is named by its id, or by one of its server names, and shows
// them.
#include <algorithm>

#include "agent/admin/api.hpp"
#include "agent/admin/certificate_rules.hpp"
#include "agent/admin/entity_service.hpp"
#include "agent/admin/page_query.hpp"
#include "agent/admin/reply.hpp"
#include "base/uuid.hpp"

namespace gibbon::agent {
namespace {

constexpr const char* kPlace = "certificates";

/// `snis` as Kong reads it on PUT and PATCH: one name is a list, and a PUT without a list empties it. A PUT
/// by a name adds that to the list.
void complete_names(Call& call, Host& host, const std::optional<std::string>& name) {
  const bool put = call.request.method == "PUT";
  json::object input = call.body.input(host.catalog()->collections().at("certificates").entity.schema);
  auto* given = input.if_contains("snis");
  if (given != nullptr && given->is_string()) *given = json::array{*given};
  if (given != nullptr && given->is_array()) {
    auto& list = given->get_array();
    if (put && name && std::ranges::find(list, json::value(*name)) == list.end()) list.emplace_back(*name);
  } else if (given == nullptr && put) {
    input["snis"] = nullptr;
  }
  call.body.content = std::move(input);
}

/// Replaces a server name in the path by the id of its certificate; a PUT by an unknown name makes a new one.
/// Otherwise gives the answer.
http::Response with_id(Call& call, Host& host, const Endpoint& former,
                       std::optional<std::string>* name = nullptr) {
  auto& place = call.params[kPlace];
  if (!is_uuid(place)) {
    const auto row = host.store().read()->find_by("snis", "name", place);
    if (row == nullptr && call.request.method != "PUT") return message_reply(404, "SNI not found");
    if (name != nullptr) *name = place;
    place = row != nullptr ? std::string(foreign_id(*row, "certificate")) : uuid_v4();
  }
  return former(call);
}

http::Response show(Call& call, Host& host) {
  const auto image = host.store().read();
  const auto& id = call.params[kPlace];
  const auto row = image->find("certificates", id);
  return row == nullptr ? error_reply(not_found("id", id))
                        : json_reply(200, *with_server_names(*image, kPlace, row));
}

http::Response list(Call& call, Host& host) {
  auto query = read_page_query(call);
  if (!query.ok()) return error_reply(query.error());
  const auto image = host.store().read();
  auto page = image->page("certificates", query.value());
  if (!page.ok()) return error_reply(page.error());
  const auto names = all_server_names(*image);
  for (json::value& entity : page.value().data) {
    const auto found = names.find(text_of(entity.get_object(), "id"));
    entity.get_object()["snis"] = found != names.end() ? found->second : json::array();
  }
  return page_reply(call, "/certificates", page.value());
}

}  // namespace

void add_certificate_endpoints(Endpoints& endpoints, Host& host) {
  const std::string one = "/certificates/{certificates}", names = one + "/snis", name = names + "/{snis}";
  endpoints.add("GET", "/certificates", [&host](Call& call) { return list(call, host); });
  endpoints.add("GET", one, [&host](Call& call) {
    return with_id(call, host, [&host](Call& named) { return show(named, host); });
  });
  for (const char* method : {"PUT", "PATCH"})
    endpoints.wrap(method, one, [&host](Call& call, const Endpoint& former) {
      std::optional<std::string> given;
      return with_id(
          call, host,
          [&](Call& named) {
            complete_names(named, host, given);
            return former(named);
          },
          &given);
    });
  const auto by_name = [&](const char* method, const std::string& pattern) {
    endpoints.wrap(method, pattern,
                   [&host](Call& call, const Endpoint& former) { return with_id(call, host, former); });
  };
  by_name("DELETE", one);
  for (const char* method : {"GET", "POST"}) by_name(method, names);
  for (const char* method : {"GET", "PUT", "PATCH", "DELETE"}) by_name(method, name);
}

}  // namespace gibbon::agent
