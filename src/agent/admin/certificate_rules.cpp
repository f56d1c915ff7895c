#include "agent/admin/certificate_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gibbon::agent {
namespace {

StoreError names_violation(const std::string& what) {
  schema::Violations violations;
  violations.add("snis", what);
  return schema_violation(violations);
}

/// Whether one of an entity's `ca_certificates` is `id`.
bool trusts(const json::object& entity, std::string_view id) {
  const auto* list = entity.if_contains("ca_certificates");
  if (list == nullptr || !list->is_array()) return false;
  return std::ranges::any_of(list->get_array(), [&](const json::value& each) {
    return each.is_string() && each.get_string() == id;
  });
}

std::optional<StoreError> still_trusted(std::string_view id, std::string_view by, std::string_view by_id) {
  return StoreError{ErrorCode::kReferencedByOthers,
                    fmt::format("ca certificate {} is still referenced by {} (id = {})", id, by, by_id),
                    {}};
}

std::optional<StoreError> check_authority(const Image& image, std::string_view id) {
  for (const auto& [service, row] : image.rows("services"))
    if (trusts(*row, id)) return still_trusted(id, "services", service);
  for (const auto& [plugin, row] : image.rows("plugins"))
    if (const auto* config = row->if_contains("config"); config != nullptr && config->is_object())
      if (trusts(config->get_object(), id)) return still_trusted(id, "plugins", plugin);
  return std::nullopt;
}

}  // namespace

ServerNames::ServerNames(const Collection& collection, const json::object& input)
    : applies_(collection.name == "certificates") {
  const auto* given = applies_ ? input.if_contains("snis") : nullptr;
  if (given == nullptr || (!given->is_null() && !given->is_array())) return;
  names_.emplace();
  if (!given->is_array()) return;
  // What is no text, the schema's check will name.
  for (const json::value& name : given->get_array())
    if (name.is_string()) names_->emplace_back(name.get_string());
  std::ranges::sort(*names_);
}

std::optional<StoreError> ServerNames::check(const Image& image, std::string_view id) const {
  if (!names_) return std::nullopt;
  if (const auto twice = std::ranges::adjacent_find(*names_); twice != names_->end())
    return names_violation(*twice + " is duplicated");
  for (const std::string& name : *names_) {
    const auto row = image.find_by("snis", "name", name);
    if (row == nullptr || foreign_id(*row, "certificate") == id) continue;
    return names_violation(fmt::format("{} already associated with existing certificate '{}'", name,
                                       foreign_id(*row, "certificate")));
  }
  return std::nullopt;
}

Outcome<Row> ServerNames::keep(Transaction& transaction, const Catalog& catalog, Outcome<Row> row) const {
  if (!row.ok() || !applies_) return row;
  const std::string id(text_of(*row.value(), "id"));
  if (names_) {
    const auto& snis = catalog.collections().at("snis");
    std::vector<std::string> held;
    for (const auto& sni : transaction.image().children(snis.name, "certificate", id)) {
      const auto stored = transaction.image().find(snis.name, sni);
      held.emplace_back(text_of(*stored, "name"));
      if (std::ranges::binary_search(*names_, held.back())) continue;
      if (auto removed = transaction.remove(snis, sni); !removed.ok()) return removed.error();
    }
    for (const std::string& name : *names_) {
      if (std::ranges::find(held, name) != held.end()) continue;
      auto checked = catalog.check_insert(snis, {{"name", name}, {"certificate", {{"id", id}}}});
      if (!checked.ok()) return schema_violation(checked.violations);
      if (auto made = transaction.insert(snis, std::move(checked.entity)); !made.ok()) return made.error();
    }
  }
  return with_server_names(transaction.image(), "certificates", row.value());
}

std::map<std::string, json::array, std::less<>> all_server_names(const Image& image) {
  std::map<std::string, std::vector<std::string_view>, std::less<>> names;
  for (const auto& [id, row] : image.rows("snis"))
    names[std::string(foreign_id(*row, "certificate"))].push_back(text_of(*row, "name"));
  std::map<std::string, json::array, std::less<>> all;
  for (auto& [certificate, list] : names) {
    std::ranges::sort(list);
    for (const auto name : list) all[certificate].emplace_back(name);
  }
  return all;
}

Row with_server_names(const Image& image, std::string_view collection, const Row& row) {
  if (collection != "certificates" || row == nullptr) return row;
  std::vector<std::string> names;
  for (const auto& id : image.children("snis", "certificate", text_of(*row, "id")))
    names.emplace_back(text_of(*image.find("snis", id), "name"));
  std::ranges::sort(names);
  auto shown = std::make_shared<json::object>(*row);
  (*shown)["snis"] = json::array(names.begin(), names.end());
  return shown;
}

std::optional<StoreError> before_removal(Transaction& transaction, const Collection& collection,
                                         std::string_view id) {
  const Image& image = transaction.image();
  if (collection.name == "ca_certificates") return check_authority(image, id);
  if (collection.name != "certificates") return std::nullopt;
  const auto& snis = image.collections().at("snis");
  for (const auto& sni : image.children(snis.name, "certificate", id))
    if (auto removed = transaction.remove(snis, sni); !removed.ok()) return removed.error();
  return std::nullopt;
}

}  // namespace gibbon::agent
