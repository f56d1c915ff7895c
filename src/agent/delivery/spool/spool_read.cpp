#include <spdlog/spdlog.h>

#include <algorithm>

#include "agent/delivery/spool/spool.hpp"

namespace gibbon::agent {

using namespace spool_format;

namespace {
constexpr std::uint64_t kRecordAlignment = 8;
constexpr int kReadAttempts = 5;
}  // namespace

bool find_record(std::string_view bytes, std::uint64_t low, std::uint64_t end, std::uint64_t* at, RecordInfo* info,
                 std::string_view* payload, bool* damaged) {
  while (*at < bytes.size()) {
    std::uint64_t size = 0;
    if (read_record(bytes.substr(*at), info, payload, &size) == Found::kRecord) {
      *at += size;
      if (info->seq >= low && info->seq < end) return true;
    } else {
      *damaged = true;
      *at += kRecordAlignment;
    }
  }
  *at = bytes.size();
  return false;
}

/// Loads what `segment` has beyond what was loaded before. False: the disk failed.
bool Spool::load(const Segment& segment) {
  if (reading_first_ != segment.first_seq) {
    reading_.clear();
    reading_first_ = segment.first_seq;
    reading_at_ = kSegmentHeadBytes;
  }
  if (reading_.size() >= segment.size) return true;
  Result<std::unique_ptr<SpoolFile>> file = files_.open(segment.path);
  if (!file) {
    last_error_ = file.error().message;
    return false;
  }
  const std::size_t before = reading_.size();
  reading_.resize(segment.size);
  Result<std::size_t> got = (*file)->read_at(before, std::span<char>(reading_).subspan(before));
  if (!got) {
    reading_.resize(before);
    last_error_ = got.error().message;
    return false;
  }
  reading_.resize(before + *got);  // shorter than it was: what is missing is damaged
  return true;
}

void Spool::lose_to(std::uint64_t seq, record::LossReason reason) {
  if (seq <= cursor_) return;
  spdlog::error("spool {}: {} entries cannot be read any more", options_.directory, seq - cursor_);
  for (; cursor_ < seq; ++cursor_) {
    window_.extend_to(cursor_ + 1);
    window_.settle(cursor_, lost(reason));
  }
}

Status Spool::read(Batch& batch) {
  while (unread() && !batch.full()) {
    const auto segment = std::find_if(segments_.begin(), segments_.end(),
                                      [&](const Segment& s) { return s.end_seq > cursor_; });
    if (segment == segments_.end()) {
      lose_to(next_seq_, record::LossReason::kDamaged);
      break;
    }
    lose_to(segment->first_seq, record::LossReason::kDamaged);
    if (!load(*segment)) {
      if (++read_failures_ < kReadAttempts) return Error{last_error_, {}};
      read_failures_ = 0;
      lose_to(segment->end_seq, record::LossReason::kSpoolFailed);
      continue;
    }
    read_failures_ = 0;
    while (cursor_ < segment->end_seq && !batch.full()) {
      RecordInfo info;
      std::string_view payload;
      bool damaged = false;
      if (!find_record(reading_, cursor_, segment->end_seq, &reading_at_, &info, &payload, &damaged)) {
        lose_to(segment->end_seq, record::LossReason::kDamaged);
        break;
      }
      lose_to(info.seq, record::LossReason::kDamaged);
      if (batch.entries.empty()) batch.created = Clock::now();
      const std::size_t offset = batch.bytes.size();
      batch.bytes += payload;
      EntryRef& entry = batch.add(offset);
      entry.spool_seq = info.seq;
      entry.captured_ms = info.captured_ms;
      entry.id = info.entry_id;
      window_.extend_to(++cursor_);
    }
  }
  return {};
}

}  // namespace gibbon::agent
