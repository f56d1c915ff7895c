#pragma once

#include <string>
#include <string_view>

#include "agent/admin/api.hpp"
#include "agent/store/image.hpp"

namespace gibbon::agent {

/// `size`, `offset` and `tags` of a collection's query. Errors: Kong's for each of them.
Outcome<PageQuery> read_page_query(const Call& call);
/// The same for a collection without tags.
Outcome<PageQuery> read_untagged_query(const Call& call);

/// Whether `next` repeats the query's size and tags: of collections below a parent, Kong gives the offset alone.
enum class NextPage { kOffsetAlone, kSameQuery };
/// {"data":[...],"offset":"...","next":"/services?offset=...&size=1"}; `path`: the collection's.
http::Response page_reply(const Call& call, std::string_view path, const Page& page,
                          NextPage next = NextPage::kSameQuery);

}  // namespace gibbon::agent
