#include "config/health_table.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "base/hash.hpp"
#include "config/shared_file.hpp"

namespace gibbon::config {
namespace {

constexpr std::uint32_t kLeaseSeconds = 3;

std::int64_t monotonic_seconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

bool is_running(std::uint32_t pid) { return kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH; }

/// Null where the file is missing or no table of this version.
Result<HealthPage*> map_table(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0 && errno == ENOENT) return static_cast<HealthPage*>(nullptr);
  if (file < 0) return system_error("cannot open " + path);
  struct stat status {};
  const bool sized = fstat(file, &status) == 0 && status.st_size == static_cast<off_t>(sizeof(HealthPage));
  void* base =
      sized ? mmap(nullptr, sizeof(HealthPage), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : nullptr;
  close(file);
  if (!sized) return static_cast<HealthPage*>(nullptr);
  if (base == MAP_FAILED) return system_error("cannot map " + path);
  auto* page = static_cast<HealthPage*>(base);
  if (page->magic == HealthPage::kMagic && page->version == HealthPage::kVersion) return page;
  munmap(base, sizeof(HealthPage));
  return static_cast<HealthPage*>(nullptr);
}

/// All zeros but for its head, and all of its memory reserved, so that a full tmpfs shows here and not as
/// SIGBUS.
Status fill_table(int file, const std::string& path) {
  if (const int error = posix_fallocate(file, 0, sizeof(HealthPage)); error != 0) {
    errno = error;
    return system_error("no room for " + path);
  }
  const std::uint32_t head[] = {HealthPage::kMagic, HealthPage::kVersion};
  if (pwrite(file, head, sizeof head, 0) != sizeof head) return system_error("cannot write " + path);
  return {};
}

}  // namespace

Result<HealthTable> HealthTable::open(const std::string& directory) {
  const std::string path = directory + "/health";
  Result<HealthPage*> page = map_table(path);
  if (page && page.value() == nullptr) {
    std::string made;
    const Result<int> file = create_shared_file(directory, &made);
    if (!file) return file.error();
    Status status = fill_table(*file, path);
    close(*file);
    // Where nothing is in the way, the first process wins; a table of another version is replaced.
    if (status && link(made.c_str(), path.c_str()) != 0) {
      const Result<HealthPage*> there = map_table(path);
      if (there && there.value() != nullptr) {
        munmap(there.value(), sizeof(HealthPage));
      } else if (rename(made.c_str(), path.c_str()) != 0) {
        status = system_error("cannot create " + path);
      }
    }
    unlink(made.c_str());
    if (!status) return status.error();
    page = map_table(path);
  }
  if (!page) return page.error();
  if (page.value() == nullptr) return Error{path + " was replaced while it was being opened", {}};
  return HealthTable(page.value());
}

HealthTable::HealthTable(HealthPage* page) : page_(page), pid_(static_cast<std::uint32_t>(getpid())) {}

HealthTable::~HealthTable() {
  if (page_ != nullptr) munmap(page_, sizeof(HealthPage));
}

std::uint64_t HealthTable::key(std::string_view upstream_id, std::string_view host, std::string_view ip,
                               std::uint16_t port) {
  std::uint64_t hash = stable_hash(upstream_id);
  hash = stable_hash(host, hash);
  hash = stable_hash(ip, hash);
  hash = mix_bits(hash ^ port);
  return hash == 0 ? 1 : hash;
}

HealthTable::Cell* HealthTable::claim(std::uint64_t key) {
  const std::int64_t now = monotonic_seconds();
  Cell* replaceable = nullptr;
  std::uint64_t replaced_key = 0;
  for (std::uint32_t step = 0; step < HealthPage::kCells; ++step) {
    Cell& cell = page_->cells[(key + step) % HealthPage::kCells];
    std::uint64_t owner = cell.key.load(std::memory_order_acquire);
    if (owner == 0) {
      // Where another process was faster, it was perhaps for this very key.
      const bool mine =
          cell.key.compare_exchange_strong(owner, key, std::memory_order_acq_rel) || owner == key;
      if (!mine) continue;
      cell.used_at.store(now, std::memory_order_relaxed);
      return &cell;
    }
    const bool forgotten = cell.used_at.load(std::memory_order_relaxed) + kKeptSeconds < now;
    if (owner == key) {
      if (forgotten) cell.health.store(0, std::memory_order_relaxed);
      cell.used_at.store(now, std::memory_order_relaxed);
      return &cell;
    }
    if (forgotten && replaceable == nullptr) {
      replaceable = &cell;
      replaced_key = owner;
    }
  }
  // No cell was ever free: take one that nobody uses. Two processes that race for it agree at the next
  // keep().
  if (replaceable == nullptr ||
      !replaceable->key.compare_exchange_strong(replaced_key, key, std::memory_order_acq_rel)) {
    return nullptr;
  }
  replaceable->health.store(0, std::memory_order_relaxed);
  replaceable->used_at.store(now, std::memory_order_relaxed);
  return replaceable;
}

bool HealthTable::keep(Cell& cell, std::uint64_t key) {
  if (cell.key.load(std::memory_order_acquire) != key) return false;
  const std::int64_t now = monotonic_seconds();
  // Seldom written, so that the workers do not fight for the cache line.
  if (cell.used_at.load(std::memory_order_relaxed) + 10 <= now)
    cell.used_at.store(now, std::memory_order_relaxed);
  return true;
}

const HealthTable::Cell* HealthTable::find(std::uint64_t key) const {
  for (std::uint32_t step = 0; step < HealthPage::kCells; ++step) {
    const Cell& cell = page_->cells[(key + step) % HealthPage::kCells];
    const std::uint64_t owner = cell.key.load(std::memory_order_acquire);
    if (owner == key) return &cell;
    if (owner == 0) return nullptr;
  }
  return nullptr;
}

void HealthTable::changed(Health before, Health after) {
  if (before.available() != after.available()) page_->epoch.fetch_add(1, std::memory_order_acq_rel);
}

bool HealthTable::report(Cell& cell, HealthReport report) {
  if (report.limit == 0) return false;
  std::uint64_t before = cell.health.load(std::memory_order_relaxed);
  for (;;) {
    const Health after = Health(before).after(report.event, report.limit);
    if (after.word() == before) return false;  // The usual case, which writes nothing.
    if (cell.health.compare_exchange_weak(before, after.word(), std::memory_order_acq_rel)) {
      changed(Health(before), after);
      return Health(before).available() != after.available();
    }
  }
}

bool HealthTable::force(std::uint64_t key, Health::State state) {
  auto* cell = const_cast<Cell*>(find(key));
  if (cell == nullptr) return false;
  const Health after = Health::forced(state);
  const Health before(cell->health.exchange(after.word(), std::memory_order_acq_rel));
  changed(before, after);
  return true;
}

bool HealthTable::hold_lease() {
  const auto now = static_cast<std::uint32_t>(monotonic_seconds());
  std::uint64_t lease = page_->lease.load(std::memory_order_acquire);
  const auto holder = static_cast<std::uint32_t>(lease >> 32);
  const auto until = static_cast<std::uint32_t>(lease);
  if (holder != 0 && holder != pid_ && until > now && is_running(holder)) return false;
  const std::uint64_t renewed = (std::uint64_t{pid_} << 32) | (now + kLeaseSeconds);
  return lease == renewed || page_->lease.compare_exchange_strong(lease, renewed, std::memory_order_acq_rel);
}

void HealthTable::release_lease() {
  std::uint64_t lease = page_->lease.load(std::memory_order_acquire);
  if (static_cast<std::uint32_t>(lease >> 32) != pid_) return;
  page_->lease.compare_exchange_strong(lease, 0, std::memory_order_acq_rel);
}

}  // namespace gibbon::config
