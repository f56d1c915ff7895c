#include "schema/custom_checks.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/ascii.hpp"
#include "schema/certificate_checks.hpp"

namespace gibbon::schema {
namespace {

using Violation = std::optional<std::string>;

/// Kong only warns that path_handling "v1" is on its way out.
Violation accept(const json::object&) { return {}; }

/// The fields "http_endpoint" and "headers": who authorizes by the URL cannot do so by a header as well.
Violation check_one_authorization(const json::object& record) {
  const json::value *endpoint = record.if_contains("http_endpoint"), *headers = record.if_contains("headers");
  if (endpoint == nullptr || !endpoint->is_string() || headers == nullptr || !headers->is_object()) return {};
  const std::string_view url = endpoint->get_string();
  const std::size_t start = url.find("://");
  if (start == std::string_view::npos) return {};
  const std::string_view authority = url.substr(start + 3, url.find_first_of("/?#", start + 3) - start - 3);
  if (authority.find('@') == std::string_view::npos) return {};
  for (const auto& header : headers->get_object())
    if (equals_lower(header.key(), "authorization"))
      return "specifying both an 'Authorization' header and user info in 'http_endpoint' is not allowed";
  return {};
}

constexpr std::pair<std::string_view, Violation (*)(const json::object&)> kChecks[] = {
    {"path_handling", accept},
    {"certificate_key", check_certificate_key},
    {"certificate_alt_key", check_certificate_alt_key},
    {"certificate_types", check_certificate_types},
    {"ca_certificate", check_ca_certificate},
    {"one_authorization", check_one_authorization},
};

}  // namespace

std::optional<std::string> run_custom_check(const EntityCheck& check, const json::object& entity) {
  for (const auto& [name, run] : kChecks) {
    if (name != check.custom_name) continue;
    Violation bad = run(entity);
    return bad && !check.message.empty() ? check.message : bad;
  }
  return "failed entity check: " + check.custom_name;
}

bool is_known_check(std::string_view name) {
  return std::any_of(std::begin(kChecks), std::end(kChecks),
                     [&](const auto& check) { return check.first == name; });
}

}  // namespace gibbon::schema
