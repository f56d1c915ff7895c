#include <algorithm>
#include <string>
#include <vector>

#include "gibbon/plugin.hpp"

gibbon::Schema acl_schema();
gibbon::Entity acl_groups();

namespace {

using namespace gibbon;

struct Config {
  explicit Config(const ConfigView& view)
      : denies(!view.strings("deny").empty()),
        groups(denies ? view.strings("deny") : view.strings("allow")),
        hide_groups_header(view.boolean("hide_groups_header")),
        always_use_authenticated_groups(view.boolean("always_use_authenticated_groups")) {}

  bool denies;
  std::vector<std::string> groups;
  bool hide_groups_header, always_use_authenticated_groups;
};

using Groups = std::vector<std::string_view>;

Groups groups_of(Exchange& exchange, const Consumer& consumer) {
  Groups groups;
  const auto add = [&groups](const EntityView& row) { groups.push_back(row.field("group")); };
  exchange.entities().each_of_consumer("acls", consumer, add);
  return groups;
}

bool holds_any(const Groups& groups, const std::vector<std::string>& wanted) {
  return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& group) {
    return std::find(groups.begin(), groups.end(), group) != groups.end();
  });
}

std::string joined(const Groups& groups) {
  std::string text;
  for (const std::string_view group : groups) text.append(text.empty() ? "" : ", ").append(group);
  return text;
}

/// Lets the request pass, and names the groups in `header`, or refuses it.
void decide(Exchange& exchange, const Config& config, const Groups& groups, std::string_view header) {
  if (holds_any(groups, config.groups) == config.denies) {
    exchange.error(403, "You cannot consume this service");
  } else if (!config.hide_groups_header) {
    exchange.service_request().set_header(header, joined(groups));
  }
}

/// Nobody is there whose groups could be known: 401, or 403 for who has shown a credential.
void refuse(Exchange& exchange) {
  if (exchange.client().credential() != nullptr) {
    exchange.error(403, "You cannot consume this service");
  } else {
    exchange.error(401, "Unauthorized");
  }
}

struct Handler {
  static constexpr int PRIORITY = 950;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;

  static void access(Exchange& exchange, const Config& config) {
    Client& client = exchange.client();
    const Consumer* consumer = client.consumer();
    const auto authenticated = client.authenticated_groups();
    const bool use_authenticated =
        consumer == nullptr || client.credential() == nullptr || config.always_use_authenticated_groups;
    if (use_authenticated && !authenticated.empty()) {
      decide(exchange, config, Groups(authenticated.begin(), authenticated.end()), "X-Authenticated-Groups");
      return;
    }
    if (consumer == nullptr) return refuse(exchange);
    const Groups groups = groups_of(exchange, *consumer);
    if (groups.empty() && !config.denies) return refuse(exchange);
    decide(exchange, config, groups, "X-Consumer-Groups");
  }

  static std::vector<Entity> entities() { return {acl_groups()}; }
};

}  // namespace

GIBBON_PLUGIN("acl", Handler, Config, acl_schema)
