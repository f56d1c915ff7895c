#include "schema/custom_checks.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "schema/certificate_checks.hpp"

namespace gibbon::schema {
namespace {

using Violation = std::optional<std::string>;

/// Kong only warns that path_handling "v1" is on its way out.
Violation accept(const json::object&) { return {}; }

constexpr std::pair<std::string_view, Violation (*)(const json::object&)> kChecks[] = {
    {"path_handling", accept},
    {"certificate_key", check_certificate_key},
    {"certificate_alt_key", check_certificate_alt_key},
    {"certificate_types", check_certificate_types},
    {"ca_certificate", check_ca_certificate},
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
