#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/hash.hpp"
#include "record/metric_layout.hpp"

namespace gibbon::record {
namespace {

constexpr std::uint64_t kFileBytes = kMetricHeadBytes + kMetricBytes;
/// So much at a time is allocated: a series that finds no room there costs a system call.
constexpr std::uint64_t kStepBytes = 256 * 1024;

std::uint64_t hash_of(std::string_view plugin, std::string_view family, std::span<const std::string_view> labels) {
  std::uint64_t hash = stable_hash(family, stable_hash(plugin));
  for (const std::string_view label : labels) hash = stable_hash(label, hash + label.size());
  return hash;
}

MetricHeader& header(std::byte* base) { return *reinterpret_cast<MetricHeader*>(base); }

/// This process alone writes: no other's sum can be lost.
void add_to(std::atomic<std::uint64_t>& place, std::uint64_t by) {
  place.store(place.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}
void add_to(std::atomic<std::uint64_t>& place, double by) {
  const double sum = std::bit_cast<double>(place.load(std::memory_order_relaxed)) + by;
  place.store(std::bit_cast<std::uint64_t>(sum), std::memory_order_relaxed);
}

Error failure(const std::string& what, const std::string& path, int code) {
  return Error{what + " " + path + ": " + std::strerror(code), {}};
}

bool is_sound(const std::byte* base) {
  const MetricHeader& head = metric_header(base);
  return head.magic == MetricHeader::kMagic && head.version == MetricHeader::kVersion && head.used <= kMetricBytes;
}

}  // namespace

Result<MetricWriter> MetricWriter::open(const std::string& directory, std::uint32_t slot) {
  const std::string path = directory + "/metrics." + std::to_string(slot);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return failure("cannot open", path, errno);
    struct stat info {};
    const bool is_new = ::fstat(file, &info) == 0 && info.st_size == 0;
    int code = 0;
    if (is_new && (code = ::posix_fallocate(file, 0, kMetricHeadBytes)) == 0 && ::ftruncate(file, kFileBytes) != 0)
      code = errno;
    if (code != 0) {
      ::close(file);
      ::unlink(path.c_str());
      return failure("no room for", path, code);
    }
    const bool sized = is_new || info.st_size == static_cast<off_t>(kFileBytes);
    void* base = sized ? ::mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    if (sized && base == MAP_FAILED) {
      code = errno;
      ::close(file);
      return failure("cannot map", path, code);
    }
    auto* bytes = static_cast<std::byte*>(base);
    if (is_new) {
      header(bytes).version = MetricHeader::kVersion;
      header(bytes).magic = MetricHeader::kMagic;
    }
    if (sized && is_sound(bytes)) return MetricWriter(bytes, file);
    if (sized) ::munmap(base, kFileBytes);
    ::close(file);
    ::unlink(path.c_str());
  }
  return Error{"cannot use " + path + ": it is damaged", {}};
}

MetricWriter::MetricWriter(std::byte* base, int file) : base_(base), file_(file), slots_(256) { index_all(); }

MetricWriter::MetricWriter(MetricWriter&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), file_(std::exchange(other.file_, -1)), allocated_(other.allocated_),
      slots_(std::move(other.slots_)), series_(other.series_) {}

MetricWriter::~MetricWriter() {
  if (base_ != nullptr) ::munmap(base_, kFileBytes);
  if (file_ >= 0) ::close(file_);
}

/// What a worker before has left. Behind a damaged series nothing can be found: the rest is given up.
void MetricWriter::index_all() {
  const std::uint64_t used = metric_header(base_).used.load(std::memory_order_acquire);
  std::uint64_t at = 0;
  while (at < used && is_whole(base_ + kMetricHeadBytes + at, used - at)) {
    const std::byte* series = base_ + kMetricHeadBytes + at;
    SeriesHead head;
    std::memcpy(&head, series, sizeof head);
    NameReader names(series, head.values);
    const std::string_view plugin = names.next(), family = names.next();
    std::vector<std::string_view> labels;
    for (std::uint32_t i = 0; i < head.labels; ++i) labels.push_back(names.next());
    index(hash_of(plugin, family, labels), static_cast<std::uint32_t>(kMetricHeadBytes + at));
    at += head.size;
  }
  header(base_).used.store(at, std::memory_order_release);
  allocated_ = at;
}

void MetricWriter::index(std::uint64_t hash, std::uint32_t offset) {
  if (++series_ * 2 > slots_.size()) {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    series_ = 1;
    for (const Slot& slot : old)
      if (slot.offset != 0) index(slot.hash, slot.offset);
  }
  std::size_t at = hash & (slots_.size() - 1);
  while (slots_[at].offset != 0) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = {hash, offset};
}

std::byte* MetricWriter::find(const MetricSource& source, std::span<const std::string_view> labels,
                              std::uint64_t hash) const noexcept {
  for (std::size_t at = hash & (slots_.size() - 1); slots_[at].offset != 0; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].hash != hash) continue;
    std::byte* series = base_ + slots_[at].offset;
    SeriesHead head;
    std::memcpy(&head, series, sizeof head);
    if (head.values != source.values() || head.labels != labels.size()) continue;
    NameReader names(series, head.values);
    if (names.next() != source.plugin || names.next() != source.family.name) continue;
    if (std::all_of(labels.begin(), labels.end(), [&](std::string_view label) { return names.next() == label; }))
      return series;
  }
  return nullptr;
}

bool MetricWriter::reserve(std::uint64_t bytes) {
  if (bytes <= allocated_) return true;
  if (bytes > kMetricBytes) return false;
  const std::uint64_t more = std::min(kMetricBytes, (bytes + kStepBytes - 1) / kStepBytes * kStepBytes);
  if (::posix_fallocate(file_, static_cast<off_t>(kMetricHeadBytes + allocated_),
                        static_cast<off_t>(more - allocated_)) != 0)
    return false;
  allocated_ = more;
  return true;
}

std::byte* MetricWriter::append(const MetricSource& source, std::span<const std::string_view> labels,
                                std::uint64_t hash) {
  const std::uint64_t used = metric_header(base_).used.load(std::memory_order_relaxed);
  std::uint64_t size = sizeof(SeriesHead) + source.values() * 8 + 2 * 4 + source.plugin.size() + source.family.name.size();
  for (const std::string_view label : labels) size += 4 + label.size();
  size = (size + 7) & ~std::uint64_t{7};
  if (size > kMetricBytes || !reserve(used + size)) return nullptr;
  std::byte* series = base_ + kMetricHeadBytes + used;
  std::memset(series, 0, size);
  const SeriesHead head{static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(source.values()),
                        static_cast<std::uint32_t>(labels.size()), 0};
  std::memcpy(series, &head, sizeof head);
  std::byte* at = series + sizeof head + source.values() * 8;
  const auto write = [&at](std::string_view name) {
    const auto length = static_cast<std::uint32_t>(name.size());
    std::memcpy(at, &length, sizeof length);
    if (length > 0) std::memcpy(at + sizeof length, name.data(), length);
    at += sizeof length + length;
  };
  write(source.plugin);
  write(source.family.name);
  for (const std::string_view label : labels) write(label);
  index(hash, static_cast<std::uint32_t>(kMetricHeadBytes + used));
  header(base_).used.store(used + size, std::memory_order_release);
  return series;
}

void MetricWriter::add(const MetricSource& source, std::span<const std::string_view> labels, double value) noexcept {
  std::byte* series = nullptr;
  if (labels.size() == source.family.labels.size()) {
    const std::uint64_t hash = hash_of(source.plugin, source.family.name, labels);
    series = find(source, labels, hash);
    try {
      if (series == nullptr) series = append(source, labels, hash);
    } catch (const std::bad_alloc&) {
    }
  }
  if (series == nullptr) return add_to(header(base_).errors, std::uint64_t{1});
  std::atomic<std::uint64_t>* values = series_values(series);
  if (source.family.type == MetricFamily::Type::kCounter) return add_to(values[0], value);
  const std::vector<double>& bounds = source.family.buckets;
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
  add_to(values[bucket], std::uint64_t{1});
  add_to(values[bounds.size() + 1], value);
}

std::uint64_t MetricWriter::errors() const { return metric_header(base_).errors.load(std::memory_order_relaxed); }

}  // namespace gibbon::record
