#pragma once

#include <string>
#include <string_view>

#include "agent/admin/api.hpp"
#include "agent/store/image.hpp"

namespace gibbon::agent {

/// `size`, `offset` and `tags` of a collection's query. Errors: Kong's for each of them.
Outcome<PageQuery> read_page_query(const Call& call);
/// {"data":[...],"offset":"...","next":"/services?offset=...&size=1"}; `path`: the collection's.
http::Response page_reply(const Call& call, std::string_view path, const Page& page);

}  // namespace gibbon::agent
