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

/// What a filter's tags may be made of: printable ASCII without the separators, and UTF-8's other bytes.
bool is_tag_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte <= 0x7E && c != ',' && c != '/') || (byte >= 0x80 && byte <= 0xF4);
}

/// "a,b" or "a/b": each of them at least one byte; a separator may stand at the end.
bool is_filter(std::string_view text, char separator) {
  bool after_tag = false;
  for (const char c : text) {
    if (!is_tag_byte(c) && (c != separator || !after_tag)) return false;
    after_tag = c != separator;
  }
  return !text.empty();
}

constexpr std::size_t kMaxTags = 5;

}  // namespace

Outcome<PageQuery> read_untagged_query(const Call& call) {
  PageQuery query;
  if (const auto size = call.argument("size")) {
    auto number = read_size(*size);
    if (!number.ok()) return number.error();
    query.size = number.value();
  }
  query.offset = call.argument("offset").value_or("");
  return query;
}

Outcome<PageQuery> read_page_query(const Call& call) {
  const auto tags = call.argument("tags");
  if (tags && tags->empty()) return invalid_option("tags", "cannot be null");
  auto query = read_untagged_query(call);
  if (!query.ok() || !tags) return query;
  const bool all = is_filter(*tags, ',');
  if (!all && !is_filter(*tags, '/')) return invalid_option("tags", "invalid filter syntax");
  query.value().tags = split(*tags, all ? ',' : '/');
  query.value().tag_match = all ? PageQuery::TagMatch::kAll : PageQuery::TagMatch::kAny;
  if (query.value().tags.size() > kMaxTags) return invalid_option("tags", "cannot query more than 5 tags");
  return query;
}

http::Response page_reply(const Call& call, std::string_view path, const Page& page, NextPage next_page) {
  json::object body;
  body["data"] = page.data;
  body["next"] = nullptr;
  if (!page.offset.empty()) {
    body["offset"] = page.offset;
    auto next = std::string(path) + "?offset=" + http::percent_encode(page.offset);
    const bool same = next_page == NextPage::kSameQuery;
    if (const auto tags = call.argument("tags"); tags && same) next += "&tags=" + http::percent_encode(*tags);
    if (const auto size = call.argument("size"); size && same) next += "&size=" + http::percent_encode(*size);
    body["next"] = next;
  }
  return json_reply(200, body);
}

}  // namespace gibbon::agent
