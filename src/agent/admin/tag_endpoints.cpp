#include "agent/admin/api.hpp"
#include "agent/admin/page_query.hpp"
#include "agent/admin/reply.hpp"

namespace gibbon::agent {

void add_tag_endpoints(Endpoints& endpoints, Host& host) {
  const auto list = [&host](Call& call, const std::optional<std::string>& tag, const std::string& path) {
    auto query = read_untagged_query(call);
    if (!query.ok()) return error_reply(query.error());
    const auto page = host.store().read()->tags(tag, query.value());
    return page.ok() ? page_reply(call, path, page.value(), tag ? NextPage::kOffsetAlone : NextPage::kSameQuery) : error_reply(page.error());
  };
  endpoints.add("GET", "/tags", [list](Call& call) { return list(call, std::nullopt, "/tags"); });
  endpoints.add("GET", "/tags/{tags}", [list](Call& call) {
    const auto& tag = call.params["tags"];
    return list(call, tag, "/tags/" + http::percent_encode(tag));
  });
}

}  // namespace gibbon::agent
