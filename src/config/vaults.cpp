#include "config/vaults.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/ascii.hpp"
#include "base/percent.hpp"
#include "schema/formats.hpp"
#include "schema/records.hpp"

namespace gibbon::config {
namespace {

constexpr std::string_view kOpening = "{vault://";

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// "my-secret" to "MY_SECRET".
std::string variable_name(std::string name) {
  for (char& c : name) {
    c = c == '-' ? '_' : ascii_upper(c);
  }
  return name;
}

/// A member of a flat JSON object, as text.
std::optional<std::string> json_member(const std::string& text, const std::string& key) {
  boost::system::error_code failed;
  const json::value value = json::parse(text, failed);
  if (failed || !value.is_object()) return {};
  const json::value* member = value.get_object().if_contains(key);
  if (member == nullptr || member->is_null() || member->is_structured()) return {};
  return member->is_string() ? std::string(member->get_string()) : json::serialize(*member);
}

void collect(const Field& field, const json::value& value, std::vector<std::string>& found) {
  switch (field.type) {
    case FieldType::kString:
      if (field.is_referenceable && value.is_string() && schema::is_vault_reference(value.get_string()))
        found.emplace_back(value.get_string());
      break;
    case FieldType::kArray:
    case FieldType::kSet:
      if (!value.is_array() || field.element.empty()) break;
      for (const json::value& element : value.get_array()) collect(field.element.front(), element, found);
      break;
    case FieldType::kMap:
      if (!value.is_object() || field.element.empty()) break;
      for (const auto& member : value.get_object()) collect(field.element.front(), member.value(), found);
      break;
    case FieldType::kRecord:
      if (!value.is_object()) break;
      for (auto& reference : vault_references(field, value.get_object())) found.push_back(std::move(reference));
      break;
    default:
      break;
  }
}

}  // namespace

Result<VaultReference> VaultReference::parse(std::string_view text) {
  const auto wrong = [&](std::string_view what) { return Error{std::string(what) + " [" + std::string(text) + "]", {}}; };
  if (!schema::is_vault_reference(text)) return wrong("not a reference");
  std::string_view rest = text.substr(kOpening.size(), text.size() - kOpening.size() - 1);
  rest = rest.substr(0, rest.find('#'));  // A version: the environment has but one.
  std::string_view query;
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
    query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  const std::size_t slash = rest.find('/');
  VaultReference reference;
  reference.vault = rest.substr(0, slash);
  if (reference.vault.empty()) return wrong("reference url is missing host");
  if (slash == std::string_view::npos) return wrong("reference url is missing path");
  std::string_view path = rest.substr(slash + 1);
  if (path.empty()) return wrong("reference url has empty path");
  const std::size_t last = path.rfind('/');
  if (last == std::string_view::npos) {
    reference.resource = percent_decode(path);
  } else {
    reference.resource = percent_decode(path.substr(0, last));
    reference.key = percent_decode(path.substr(last + 1));
  }
  for (auto& [name, value] : parse_query(query))
    if (name == "prefix") reference.prefix = std::move(value);
  return reference;
}

std::optional<std::string> Vaults::process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Vaults::Vaults(const std::vector<json::object>& entities, Environment environment)
    : environment_(std::move(environment)) {
  prefixes_["env"] = "";
  for (const json::object& entity : entities) {
    const json::value* config = entity.if_contains("config");
    prefixes_[text_member(entity, "prefix")] =
        config != nullptr && config->is_object() ? text_member(config->get_object(), "prefix") : "";
  }
}

Result<std::string> Vaults::get(std::string_view text) const {
  const Result<VaultReference> reference = VaultReference::parse(text);
  if (!reference) return reference.error();
  const auto failure = [&](const std::string& why) {
    return Error{"could not get value from external vault: " + why + " [" + std::string(text) + "]", {}};
  };
  const auto vault = prefixes_.find(reference->vault);
  if (vault == prefixes_.end()) return failure("there is no vault '" + reference->vault + "'");
  const std::string name =
      variable_name((reference->prefix.empty() ? vault->second : reference->prefix) + reference->resource);
  const auto value = environment_(name);
  if (!value) return failure("the environment variable " + name + " is not set");
  if (reference->key.empty()) return *value;
  auto member = json_member(*value, reference->key);
  if (!member) return failure("the environment variable " + name + " holds no JSON object with such a key");
  return std::move(*member);
}

std::vector<std::string> vault_references(const Schema& schema, const json::object& entity) {
  std::vector<std::string> found;
  const Subschema* subschema = schema::select_subschema(schema, entity);
  for (const auto& member : entity) {
    if (const Field* field = schema::find_row(schema, subschema, member.key())) collect(*field, member.value(), found);
  }
  return found;
}

bool may_refer_to_vaults(const Schema& schema) {
  const auto any = [](const auto& rows) {
    return std::any_of(rows.begin(), rows.end(), [](const auto& row) { return may_refer_to_vaults(row.field); });
  };
  if (schema.is_referenceable) return true;
  if (!schema.element.empty() && may_refer_to_vaults(schema.element.front())) return true;
  return any(schema.fields) || std::any_of(schema.subschemas.begin(), schema.subschemas.end(),
                                           [&](const Subschema& each) { return any(each.fields); });
}

bool replace_references(json::value& value, const json::object& secrets) {
  if (value.is_string()) {
    const json::value* secret = secrets.if_contains(value.get_string());
    if (secret == nullptr) return false;
    value = *secret;
    return true;
  }
  bool replaced = false;
  if (value.is_array()) {
    for (json::value& element : value.get_array()) replaced |= replace_references(element, secrets);
  } else if (value.is_object()) {
    for (auto& member : value.get_object()) replaced |= replace_references(member.value(), secrets);
  }
  return replaced;
}

}  // namespace gibbon::config
