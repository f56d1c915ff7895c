#include "agent/publisher.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

namespace gibbon::agent {
namespace {

Error io_error(const std::string& what, const std::string& path) {
  return {what + " '" + path + "': " + std::strerror(errno), ""};
}

/// Writes the file whole or not at all, readable by the directory's owner alone: configurations hold secrets.
Status write_private(const std::string& directory, const std::string& path, std::string_view text) {
  const auto temporary = path + ".new";
  const int file = ::open(temporary.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return io_error("cannot write", temporary);
  Status status;
  while (!text.empty()) {
    const auto written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      status = io_error("cannot write", temporary);
      break;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  struct stat owner {};
  if (status.ok() && (::stat(directory.c_str(), &owner) != 0 ||
                      (owner.st_uid != ::geteuid() && ::fchown(file, owner.st_uid, owner.st_gid) != 0)))
    status = io_error("cannot give to the gateway", temporary);
  if (::close(file) != 0 && status.ok()) status = io_error("cannot write", temporary);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) status = io_error("cannot rename", temporary);
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

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

}  // namespace

Publisher::Publisher(config::Control& control, Deliver deliver) : control_(control), deliver_(std::move(deliver)) {}

Status Publisher::prepare(const Image& image) {
  const auto generation = control_.page().generation.load() + 1;
  const auto text = config::serialize_snapshot(generation, entities(image, "services"), entities(image, "routes"),
                                               entities(image, "plugins"));
  auto parsed = config::parse_snapshot(text);
  if (!parsed.ok()) return parsed.error();
  const auto& directory = control_.directory();
  if (auto written = write_private(directory, config::snapshot_path(directory, generation), text); !written.ok())
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
    constexpr std::string_view kPrefix = "snapshot.";
    if (!name.starts_with(kPrefix)) continue;
    std::uint64_t generation = 0;
    const auto* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, generation);
    if (parsed.ptr == end && generation + kKeptSnapshots <= newest) ::unlink(entry.path().c_str());
  }
}

}  // namespace gibbon::agent
