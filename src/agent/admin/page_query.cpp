#include "agent/admin/page_query.hpp"

#include <charconv>
#include <cmath>

#include "agent/admin/reply.hpp"

namespace gibbon::agent {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto end = text.find(separator);
    if (end != 0 && !text.empty()) parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Outcome<std::int64_t> read_size(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return invalid_size("size must be a number");
  if (number < 1 || number > 1000 || number != std::floor(number))
    return invalid_size("size must be an integer between 1 and 1000");
  return static_cast<std::int64_t>(number);
}

}  // namespace

Outcome<PageQuery> read_page_query(const Call& call) {
  PageQuery query;
  if (const auto size = call.argument("size")) {
    auto number = read_size(*size);
    if (!number.ok()) return number.error();
    query.size = number.value();
  }
  query.offset = call.argument("offset").value_or("");
  if (const auto tags = call.argument("tags")) {
    if (tags->empty()) return invalid_option("tags", "cannot be null");
    const bool all = tags->find(',') != std::string::npos, any = tags->find('/') != std::string::npos;
    query.tags = split(*tags, any ? '/' : ',');
    if ((all && any) || query.tags.empty()) return invalid_option("tags", "invalid filter syntax");
    query.tag_match = any ? PageQuery::TagMatch::kAny : PageQuery::TagMatch::kAll;
  }
  return query;
}

http::Response page_reply(const Call& call, std::string_view path, const Page& page) {
  json::object body;
  body["data"] = page.data;
  body["next"] = nullptr;
  if (!page.offset.empty()) {
    body["offset"] = page.offset;
    auto next = std::string(path) + "?offset=" + http::percent_encode(page.offset);
    if (const auto tags = call.argument("tags")) next += "&tags=" + http::percent_encode(*tags);
    if (const auto size = call.argument("size")) next += "&size=" + http::percent_encode(*size);
    body["next"] = next;
  }
  return json_reply(200, body);
}

}  // namespace gibbon::agent
