#pragma once

#include <bit>
#include <cstring>

#include "record/metric_table.hpp"

/// How a series lies in memory: what both sides of metric_table.hpp share.
namespace gibbon::record {

inline constexpr std::uint64_t kMetricHeadBytes = 4096;

inline const MetricHeader& metric_header(const std::byte* base) {
  return *reinterpret_cast<const MetricHeader*>(base);
}

inline std::atomic<std::uint64_t>* series_values(const std::byte* series) {
  return reinterpret_cast<std::atomic<std::uint64_t>*>(const_cast<std::byte*>(series) + sizeof(SeriesHead));
}

/// Walks over a series' names. They must be whole.
class NameReader {
 public:
  NameReader(const std::byte* series, std::uint32_t values)
      : at_(series + sizeof(SeriesHead) + std::size_t{values} * 8) {}
  std::string_view next() {
    std::uint32_t length = 0;
    std::memcpy(&length, at_, sizeof length);
    const std::string_view name(reinterpret_cast<const char*>(at_ + sizeof length), length);
    at_ += sizeof length + length;
    return name;
  }

 private:
  const std::byte* at_;
};

/// Whether everything that the head and the names say lies within `room` bytes.
inline bool is_whole(const std::byte* series, std::uint64_t room) {
  SeriesHead head;
  if (room < sizeof head) return false;
  std::memcpy(&head, series, sizeof head);
  std::uint64_t at = sizeof head + std::uint64_t{head.values} * 8;
  if (head.size > room || head.size % 8 != 0 || head.size < sizeof head || at > head.size) return false;
  for (std::uint64_t i = 0; i < std::uint64_t{head.labels} + 2; ++i) {
    std::uint32_t length = 0;
    if (at + sizeof length > head.size) return false;
    std::memcpy(&length, series + at, sizeof length);
    at += sizeof length + length;
    if (at > head.size) return false;
  }
  return true;
}

}  // namespace gibbon::record
