#include "agent/publisher.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "config/shared_file.hpp"

namespace gibbon::agent {
namespace {

constexpr const char* kSnapshotPrefix = "snapshot.";

json::array entities(const Image& image, std::string_view collection) {
  json::array list;
  for (const auto& [id, row] : image.rows(collection)) list.push_back(*row);
  return list;
}

/// What the configuration's references refer to. One that refers to nothing stands for an empty text, as in Kong.
json::object secrets(const Image& image, const Catalog& catalog) {
  json::object found;
  const auto vaults = vaults_of(image);
  for (const auto& collection : image.collections()) {
    if (collection.name != "plugins" && !config::may_refer_to_vaults(collection.entity.schema)) continue;
    for (const auto& [id, row] : image.rows(collection.name))
      for (const auto& reference : config::vault_references(catalog.schema_for(collection, *row), *row)) {
        if (found.contains(reference)) continue;
        auto value = vaults.get(reference);
        if (!value) spdlog::warn("{} {}: {}", singular(collection.name), id, value.error().message);
        found[reference] = value ? *value : std::string();
      }
  }
  return found;
}

}  // namespace

config::Vaults vaults_of(const Image& image) {
  std::vector<json::object> entities;
  for (const auto& [id, row] : image.rows("vaults")) entities.push_back(*row);
  return config::Vaults(entities);
}

Publisher::Publisher(config::Control& control, CurrentCatalog catalog, Deliver deliver)
    : control_(control),
      catalog_(std::move(catalog)),
      deliver_(std::move(deliver)),
      reader_(control.directory(), config::ShownTexts::kKept) {}

std::string Publisher::text_of(const Image& image, const std::vector<Change>* changes, std::uint64_t generation) {
  auto all_secrets = secrets(image, *catalog_());
  pending_difference_ = difference_;
  if (changes != nullptr)
    for (const auto& change : *changes) pending_difference_.rows[{change.collection->name, change.id}] = change.row;
  // A secret that the base knows otherwise stands in entities that have not changed themselves.
  const bool same_secrets = std::all_of(all_secrets.begin(), all_secrets.end(), [&](const auto& secret) {
    const auto* before = difference_.secrets.if_contains(secret.key());
    return before == nullptr || *before == secret.value();
  });
  if (changes == nullptr || difference_.base == 0 || !same_secrets || pending_difference_.rows.size() > kMaxChanges) {
    std::vector<config::SnapshotCollection> content;
    for (const auto& collection : image.collections())
      content.push_back({collection.name, entities(image, collection.name)});
    auto text = config::serialize_snapshot(generation, content, all_secrets);
    pending_difference_ = {generation, std::move(all_secrets), {}};
    return text;
  }
  std::vector<config::SnapshotChange> content;
  for (const auto& [key, row] : pending_difference_.rows) content.push_back({key.first, key.second, row.get()});
  return config::serialize_changes(generation, difference_.base, content, all_secrets);
}

Status Publisher::prepare(const Image& image, const std::vector<Change>* changes) {
  const auto generation = control_.page().generation.load() + 1;
  const auto text = text_of(image, changes, generation);
  auto parsed = reader_.parse(text);
  if (!parsed.ok()) return parsed.error();
  if (auto written = config::write_shared_file(
          control_.directory(), std::string(kSnapshotPrefix) + std::to_string(generation), text);
      !written.ok())
    return written;
  pending_ = std::make_shared<const config::Snapshot>(std::move(*parsed));
  return {};
}

void Publisher::committed() {
  const auto generation = pending_->generation;
  if (deliver_) deliver_(std::move(pending_));
  pending_.reset();
  difference_ = std::move(pending_difference_);
  if (difference_.base != generation) bases_[generation] = difference_.base;
  control_.publish(generation);
  delete_old();
}

void Publisher::abandoned() {
  if (pending_ == nullptr) return;
  ::unlink(config::snapshot_path(control_.directory(), pending_->generation).c_str());
  pending_.reset();
}

Status Publisher::publish(const Image& image) {
  if (auto ready = prepare(image, nullptr); !ready.ok()) return ready;
  committed();
  return {};
}

bool Publisher::wait_applied(std::chrono::milliseconds timeout) const {
  return control_.wait_applied(control_.page().generation.load(), timeout);
}

void Publisher::delete_old() {
  const auto newest = control_.page().generation.load();
  if (newest <= kKeptSnapshots) return;
  bases_.erase(bases_.begin(), bases_.upper_bound(newest - kKeptSnapshots));
  const auto is_base = [&](std::uint64_t generation) {
    return std::any_of(bases_.begin(), bases_.end(), [&](const auto& kept) { return kept.second == generation; });
  };
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(control_.directory(), failed)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(kSnapshotPrefix)) continue;
    std::uint64_t generation = 0;
    const auto* end = name.data() + name.size();
    const auto parsed =
        std::from_chars(name.data() + std::string_view(kSnapshotPrefix).size(), end, generation);
    if (parsed.ptr == end && generation + kKeptSnapshots <= newest && !is_base(generation))
      ::unlink(entry.path().c_str());
  }
}

}  // namespace gibbon::agent
