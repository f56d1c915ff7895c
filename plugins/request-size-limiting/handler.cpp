#include <limits>
#include <string>
#include <string_view>

#include "gibbon/plugin.hpp"

gibbon::Schema request_size_limiting_schema();

namespace {

using namespace gibbon;

std::int64_t bytes_of(std::string_view unit) {
  if (unit == "bytes") return 1;
  return unit == "kilobytes" ? 1024 : 1048576;
}

/// Without a limit in the configuration, none.
std::int64_t limit_of(const ConfigView& view) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::int64_t unit = bytes_of(view.string("size_unit", "megabytes")), size = view.integer("allowed_payload_size");
  return view.is_null("allowed_payload_size") || size > kMost / unit ? kMost : size * unit;
}

struct Config {
  explicit Config(const ConfigView& view)
      : limit_bytes(limit_of(view)), require_content_length(view.boolean("require_content_length")) {}

  std::int64_t limit_bytes;
  bool require_content_length;
};

std::string_view stripped(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == std::string_view::npos ? std::string_view() : text.substr(first, last - first + 1);
}

bool same(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]) != lower[i]) return false;
  return true;
}

/// A client that waits for a word before it sends its body is told that its expectation fails.
void refuse(Exchange& exchange) {
  const bool waits = same(stripped(exchange.request().header("expect")), "100-continue");
  exchange.error(waits ? 417 : 413, "Request size limit exceeded");
}

struct Handler {
  static constexpr int PRIORITY = 951;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;

  static bool is_missing_length(const Request& request, const Config& config) {
    return config.require_content_length && request.header("transfer-encoding") != "chunked";
  }

  static void access(Exchange& exchange, const Config& config) {
    const Request& request = exchange.request();
    if (const std::int64_t declared = request.content_length(); declared >= 0) {
      if (declared > config.limit_bytes) refuse(exchange);
    } else if (is_missing_length(request, config)) {
      exchange.error(411, "A valid Content-Length header is required");
    } else if (static_cast<std::int64_t>(request.body().size) > config.limit_bytes) {
      refuse(exchange);
    }
  }

  /// Only where there is no other way to know its size: a body that is refused is not waited for.
  static bool reads_body(const Request& request, const Config& config) {
    return request.content_length() < 0 && !is_missing_length(request, config);
  }
};

}  // namespace

GIBBON_PLUGIN("request-size-limiting", Handler, Config, request_size_limiting_schema)
