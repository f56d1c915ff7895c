#include "agent/publisher.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

#include "config/shared_file.hpp"

namespace gibbon::agent {
namespace {

constexpr const char* kSnapshotPrefix = "snapshot.";

json::array entities(const Image& image, std::string_view collection) {
  json::array list;
  for (const auto& [id, row] : image.rows(collection)) {
    if (const auto* enabled = row->if_contains("enabled");
        collection == "plugins" && enabled != nullptr && enabled->is_bool() && !enabled->get_bool())
      continue;
    list.push_back(*row);
  }
  return list;
}

/// What the configuration's references refer to. One that refers to nothing stands for an empty text, as in Kong.
json::object secrets(const Image& image, const Catalog& catalog) {
  json::object found;
  const auto vaults = vaults_of(image);
  for (const auto& collection : image.collections())
    for (const auto& [id, row] : image.rows(collection.name))
      for (const auto& reference : config::vault_references(catalog.schema_for(collection, *row), *row)) {
        if (found.contains(reference)) continue;
        auto value = vaults.get(reference);
        if (!value) spdlog::warn("{} {}: {}", singular(collection.name), id, value.error().message);
        found[reference] = value ? *value : std::string();
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
    : control_(control), catalog_(std::move(catalog)), deliver_(std::move(deliver)) {}

Status Publisher::prepare(const Image& image) {
  const auto generation = control_.page().generation.load() + 1;
  std::vector<config::SnapshotCollection> content;
  for (const auto& collection : image.collections())
    content.push_back({collection.name, entities(image, collection.name)});
  const auto text = config::serialize_snapshot(generation, content, secrets(image, *catalog_()));
  auto parsed = config::parse_snapshot(text);
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
  control_.publish(generation);
  delete_old();
}

void Publisher::abandoned() {
  if (pending_ == nullptr) return;
  ::unlink(config::snapshot_path(control_.directory(), pending_->generation).c_str());
  pending_.reset();
}

Status Publisher::publish(const Image& image) {
  if (auto ready = prepare(image); !ready.ok()) return ready;
  committed();
  return {};
}

bool Publisher::wait_applied(std::chrono::milliseconds timeout) const {
  return control_.wait_applied(control_.page().generation.load(), timeout);
}

void Publisher::delete_old() {
  const auto newest = control_.page().generation.load();
  if (newest <= kKeptSnapshots) return;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(control_.directory(), failed)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(kSnapshotPrefix)) continue;
    std::uint64_t generation = 0;
    const auto* end = name.data() + name.size();
    const auto parsed =
        std::from_chars(name.data() + std::string_view(kSnapshotPrefix).size(), end, generation);
    if (parsed.ptr == end && generation + kKeptSnapshots <= newest) ::unlink(entry.path().c_str());
  }
}

}  // namespace gibbon::agent
