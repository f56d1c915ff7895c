#include <string>
#include <vector>

#include "gibbon/authentication.hpp"
#include "gibbon/plugin.hpp"

gibbon::Schema key_auth_schema();
gibbon::Entity key_auth_credentials();

namespace {

using namespace gibbon;

struct Config {
  explicit Config(const ConfigView& view)
      : key_names(view.strings("key_names")),
        anonymous(view.string("anonymous")),
        challenge(view.is_null("realm") ? "Key" : "Key realm=\"" + view.string("realm") + "\""),
        hide_credentials(view.boolean("hide_credentials")),
        key_in_header(view.boolean("key_in_header", true)),
        key_in_query(view.boolean("key_in_query", true)),
        key_in_body(view.boolean("key_in_body")),
        run_on_preflight(view.boolean("run_on_preflight", true)) {}

  std::vector<std::string> key_names;
  std::string anonymous, challenge;
  bool hide_credentials, key_in_header, key_in_query, key_in_body, run_on_preflight;
};

/// Where a request holds `name`: the header, else the query, else the body.
Parameter find(const Request& request, const Config& config, const std::string& name) {
  Parameter found;
  if (config.key_in_header) found = request.find_header(name);
  if (found.kind == Parameter::Kind::kMissing && config.key_in_query)
    found = request.find_query_argument(name);
  if (found.kind == Parameter::Kind::kMissing && config.key_in_body) found = request.find_body_field(name);
  return found;
}

void hide(ServiceRequest& request, const Config& config, const std::string& name) {
  request.clear_query_argument(name);
  request.clear_header(name);
  if (config.key_in_body) request.clear_body_field(name);
}

Refusal authenticate(Exchange& exchange, const Config& config) {
  Parameter key;
  for (const std::string& name : config.key_names) {
    if (config.key_in_body) exchange.request().hide_body_field(name);
    key = find(exchange.request(), config, name);
    if (key.kind == Parameter::Kind::kRepeated) return "Duplicate API key found";
    if (key.kind != Parameter::Kind::kText) continue;
    if (config.hide_credentials) hide(exchange.service_request(), config, name);
    break;
  }
  if (key.kind != Parameter::Kind::kText || key.text.empty()) return "No API key found in request";
  const EntityView* credential = exchange.entities().find("keyauth_credentials", key.text);
  if (credential == nullptr) return "Unauthorized";
  exchange.client().authenticate(credential->consumer, credential);
  return {};
}

struct Handler {
  static constexpr int PRIORITY = 1250;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;

  static void access(Exchange& exchange, const Config& config) {
    if (!config.run_on_preflight && exchange.request().method() == "OPTIONS") return;
    run_authentication(exchange, config.anonymous, config.challenge,
                       [&] { return authenticate(exchange, config); });
  }

  static bool reads_body(const Config& config) { return config.key_in_body; }
  static std::vector<std::string> secrets(const Config& config) { return config.key_names; }
  static std::vector<Entity> entities() { return {key_auth_credentials()}; }
};

}  // namespace

GIBBON_PLUGIN("key-auth", Handler, Config, key_auth_schema)
