#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "record/metric_layout.hpp"

namespace gibbon::record {

std::vector<std::string> metric_files(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored))
    if (entry.path().filename().string().starts_with("metrics.")) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

Result<MetricReader> MetricReader::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return Error{"cannot open " + path + ": " + std::strerror(errno), {}};
  struct stat info {};
  const bool sized = ::fstat(file, &info) == 0 && info.st_size == static_cast<off_t>(kMetricHeadBytes + kMetricBytes);
  void* base = sized ? ::mmap(nullptr, kMetricHeadBytes + kMetricBytes, PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;
  ::close(file);
  if (base == MAP_FAILED) return Error{"cannot use " + path + ": it is not finished, or damaged", {}};
  MetricReader reader(static_cast<const std::byte*>(base), kMetricHeadBytes + kMetricBytes);
  const MetricHeader& head = metric_header(reader.base_);
  if (head.magic != MetricHeader::kMagic || head.version != MetricHeader::kVersion || reader.end_ > kMetricBytes)
    return Error{"cannot use " + path + ": it is damaged, or of another version", {}};
  return reader;
}

MetricReader::MetricReader(const std::byte* base, std::uint64_t bytes)
    : base_(base), bytes_(bytes), end_(metric_header(base).used.load(std::memory_order_acquire)), position_(0) {}

MetricReader::MetricReader(MetricReader&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), bytes_(other.bytes_), end_(other.end_), position_(other.position_) {}

MetricReader::~MetricReader() {
  if (base_ != nullptr) ::munmap(const_cast<std::byte*>(base_), bytes_);
}

bool MetricReader::next(MetricSeries* series) {
  const std::byte* at = base_ + kMetricHeadBytes + position_;
  if (position_ >= end_ || !is_whole(at, end_ - position_)) return false;
  SeriesHead head;
  std::memcpy(&head, at, sizeof head);
  position_ += head.size;
  NameReader names(at, head.values);
  series->plugin = names.next();
  series->family = names.next();
  series->labels.clear();
  for (std::uint32_t i = 0; i < head.labels; ++i) series->labels.push_back(names.next());
  series->values.clear();
  for (std::uint32_t i = 0; i < head.values; ++i)
    series->values.push_back(series_values(at)[i].load(std::memory_order_relaxed));
  return true;
}

std::uint64_t MetricReader::errors() const { return metric_header(base_).errors.load(std::memory_order_relaxed); }

}  // namespace gibbon::record
