#include "gateway/nginx/hash_input.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "base/uuid.hpp"
#include "gateway/nginx/answers.hpp"

namespace gibbon::nginx {
namespace {

/// Kong reads no more arguments of a query than that.
constexpr std::size_t kMostArguments = 100;

using Input = std::optional<std::string>;

/// All headers of that name, as one list.
Input header(Context& ctx, std::string_view name) {
  Input found;
  each_header(ctx.r->headers_in.headers, [&](ngx_table_elt_t& h) {
    if (!equals_ignoring_case(view(h.key), name)) return;
    found = found ? *found + ", " + std::string(view(h.value)) : std::string(view(h.value));
  });
  return found;
}

Input cookie(Context& ctx, const config::Upstream& upstream) {
  ngx_str_t name = str(upstream.hash_on_cookie), value;
  if (ngx_http_parse_multi_header_lines(&ctx.r->headers_in.cookies, &name, &value) != NGX_DECLINED) {
    return std::string(view(value));
  }
  std::string id = uuid_v4();
  const std::string& path = upstream.hash_on_cookie_path;
  // Kong's text, its spelling of SameSite included.
  ctx.hash_cookie =
      copy_to_pool(ctx.r->pool, upstream.hash_on_cookie + '=' + id + "; Path=" + (path.empty() ? "/" : path) +
                                    "; Same-Site=Lax; HttpOnly");
  return id;
}

std::string decoded(std::string_view text) {
  std::string out;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

/// The argument's values, sorted, as one list; one without a value counts as "true".
Input query_argument(Context& ctx, const std::string& name) {
  const std::string_view target = view(ctx.client_target);
  const std::size_t mark = target.find('?');
  std::string_view query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  std::vector<std::string> values;
  for (std::size_t i = 0; !query.empty() && i < kMostArguments; ++i) {
    const std::string_view argument = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(argument.size() + 1, query.size()));
    const std::size_t equals = argument.find('=');
    if (decoded(argument.substr(0, equals)) != name) continue;
    values.push_back(equals == std::string_view::npos ? "true" : decoded(argument.substr(equals + 1)));
  }
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ",") + value;
  return list;
}

Input uri_capture(Context& ctx, const std::string& name) {
  for (const UriCapture& capture : uri_captures(ctx))
    if (!name.empty() && capture.name == name && capture.value.data() != nullptr) return std::string(capture.value);
  return std::nullopt;
}

/// What the names of hash_on and hash_fallback are, for one of the two.
struct InputNames {
  const std::string &header, &query_arg, &uri_capture;
};

Input read_input(Context& ctx, const config::Upstream& upstream, config::HashInput input,
                 const InputNames& names) {
  switch (input) {
    case config::HashInput::kConsumer:
      return ctx.consumer_id.empty() ? Input() : Input(std::string(ctx.consumer_id));
    case config::HashInput::kIp:
      return std::string(view(ctx.r->connection->addr_text));
    case config::HashInput::kHeader:
      return header(ctx, names.header);
    case config::HashInput::kCookie:
      return cookie(ctx, upstream);
    case config::HashInput::kPath:
      return std::string(view(ctx.r->uri));
    case config::HashInput::kQueryArg:
      return query_argument(ctx, names.query_arg);
    case config::HashInput::kUriCapture:
      return uri_capture(ctx, names.uri_capture);
    case config::HashInput::kNone:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> hash_of_request(Context& ctx, const config::Upstream& upstream) {
  const InputNames on{upstream.hash_on_header, upstream.hash_on_query_arg, upstream.hash_on_uri_capture};
  const InputNames fallback{upstream.hash_fallback_header, upstream.hash_fallback_query_arg,
                            upstream.hash_fallback_uri_capture};
  Input input = read_input(ctx, upstream, upstream.hash_on, on);
  if (!input) input = read_input(ctx, upstream, upstream.hash_fallback, fallback);
  if (!input) return std::nullopt;
  return stable_hash(*input);
}

std::span<const UriCapture> uri_captures(Context& ctx) {
  if (ctx.captures_known) return ctx.captures;
  ctx.captures_known = true;
  if (ctx.runtime == nullptr || ctx.path_pattern == gateway::kNone) return {};
  const std::string_view path = ctx.exchange.request().path();
  gateway::Match match;
  gateway::Match::Capture whole;
  if (!ctx.runtime->router().find_captures(ctx.path_pattern, path, &match, &whole)) return {};
  auto* kept = static_cast<UriCapture*>(ngx_palloc(ctx.r->pool, (match.capture_count + 1) * sizeof(UriCapture)));
  if (kept == nullptr) return {};
  new (kept) UriCapture{{}, path.substr(whole.begin, whole.length)};
  for (std::uint32_t i = 0; i < match.capture_count; ++i) {
    const auto [begin, length] = match.captures[i];
    new (kept + i + 1) UriCapture{ctx.runtime->router().capture_name(match, i),
                                  begin == gateway::kNone ? std::string_view() : path.substr(begin, length)};
  }
  ctx.captures = {kept, match.capture_count + 1};
  return ctx.captures;
}

void set_hash_cookie(Context& ctx) {
  const std::string_view whole = view(ctx.hash_cookie);
  const std::string_view name = whole.substr(0, whole.find('=') + 1);
  bool found = false;
  each_header(ctx.r->headers_out.headers, [&](ngx_table_elt_t& h) {
    if (found || h.hash == 0 || !equals_ignoring_case(view(h.key), "set-cookie")) return;
    if (!view(h.value).starts_with(name)) return;
    h.value = ctx.hash_cookie;
    found = true;
  });
  if (!found) add_answer_header(ctx.r, str("Set-Cookie"), ctx.hash_cookie);
}

}  // namespace gibbon::nginx
