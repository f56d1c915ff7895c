#include "agent/delivery/spool/spool.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>

namespace gibbon::agent {

using namespace spool_format;

void Spool::Segment::note(std::uint64_t ring_id, std::uint64_t ring_seq) {
  for (auto& [id, seq] : rings) {
    if (id != ring_id) continue;
    seq = std::max(seq, ring_seq);
    return;
  }
  rings.emplace_back(ring_id, ring_seq);
}

Result<std::unique_ptr<Spool>> Spool::open(FileSystem& files, SpoolBudget& budget, Options options,
                                           const Seen& seen) {
  std::unique_ptr<Spool> spool(new Spool(files, budget, std::move(options)));
  if (Status made = files.make_directory(spool->options_.directory); !made) return made.error();
  if (Status recovered = spool->recover(seen); !recovered) return recovered.error();
  // Both slots of the ledger take their room on the disk now: a disk that is full later must not keep the spool from
  // noting what was delivered, since only then its segments can go.
  for (int slot = 0; slot < 2; ++slot) spool->write_ledger();
  if (spool->ledger_unwritten_) return Error{spool->last_error_, {}};
  return spool;
}

Status Spool::start_segment() {
  active_.reset();
  char name[32];
  std::snprintf(name, sizeof name, "/%016llx.seg", static_cast<unsigned long long>(next_seq_));
  Segment segment{options_.directory + name, next_seq_, next_seq_, kSegmentHeadBytes, {}};
  Result<std::unique_ptr<SpoolFile>> file = files_.open(segment.path);
  if (!file) return file.error();
  Status written = (*file)->truncate(0);
  if (written.ok()) written = (*file)->write_at(0, segment_head(next_seq_));
  if (!written) {
    if (Status removed = files_.remove(segment.path); !removed) spdlog::warn("{}", removed.error().message);
    return written;
  }
  active_ = std::move(*file);
  bytes_ += segment.size;
  budget_.used_bytes += segment.size;
  segments_.push_back(std::move(segment));
  return {};
}

/// Takes a half-written piece away again. Where even that fails, the segment gets no more: its readable part ends
/// where the next one's numbers begin.
void Spool::undo_write() {
  if (active_ && !active_->truncate(segments_.back().size)) active_.reset();
}

Spool::Appended Spool::append(const Batch& batch, EntryRef* const* entries, std::size_t count,
                              std::size_t* appended) {
  *appended = 0;
  scratch_.clear();
  const bool fresh = !active_ || segments_.back().size >= options_.segment_bytes;
  std::uint64_t room = budget_.max_bytes > budget_.used_bytes ? budget_.max_bytes - budget_.used_bytes : 0;
  if (fresh) room -= std::min<std::uint64_t>(room, kSegmentHeadBytes);
  std::size_t taken = 0;
  for (; taken < count; ++taken) {
    const EntryRef& entry = *entries[taken];
    if (scratch_.size() + record_bytes(entry.length) > room) break;
    append_record({next_seq_ + taken, entry.ring_id, entry.ring_seq, entry.captured_ms, entry.id},
                  batch.text(entry), scratch_);
  }
  if (taken == 0) return count == 0 ? Appended::kAll : Appended::kFull;
  if (fresh) {
    if (Status started = start_segment(); !started) {
      last_error_ = started.error().message;
      return Appended::kFailed;
    }
  }
  Segment& segment = segments_.back();
  if (Status written = active_->write_at(segment.size, scratch_); !written) {
    last_error_ = written.error().message;
    undo_write();
    return Appended::kFailed;
  }
  segment.size += scratch_.size();
  bytes_ += scratch_.size();
  budget_.used_bytes += scratch_.size();
  for (std::size_t i = 0; i < taken; ++i) {
    segment.note(entries[i]->ring_id, entries[i]->ring_seq);
    entries[i]->spool_seq = next_seq_++;
  }
  segment.end_seq = next_seq_;
  active_dirty_ = true;
  *appended = taken;
  return taken == count ? Appended::kAll : Appended::kFull;
}

void Spool::skip_to_end() {
  cursor_ = next_seq_;
  window_.extend_to(cursor_);
  reading_.clear();
  reading_.shrink_to_fit();
  reading_first_ = segments_.empty() ? 0 : segments_.back().first_seq;
  reading_at_ = segments_.empty() ? 0 : segments_.back().size;
}

void Spool::commit(const ReleasedSeq& released) {
  record::Outcomes outcomes;
  if (const std::uint64_t count = window_.take_finished(outcomes); count > 0) {
    ledger_.acked_seq += count;
    ledger_.delivered += outcomes.delivered;
    for (std::size_t i = 0; i < record::kLossReasons; ++i) ledger_.lost[i] += outcomes.lost[i];
    ledger_unwritten_ = true;
  }
  if (ledger_unwritten_) write_ledger();
  while (!segments_.empty()) {
    const Segment& front = segments_.front();
    if (front.end_seq - 1 > ledger_.acked_seq || front.end_seq == front.first_seq) break;
    const auto needed = [&](const auto& ring) { return released(ring.first) < ring.second; };
    if (std::any_of(front.rings.begin(), front.rings.end(), needed)) break;
    if (ledger_unwritten_) break;  // without its ledger the spool would not know what it had
    remove_front();
  }
}

void Spool::remove_front() {
  const Segment& front = segments_.front();
  if (segments_.size() == 1) {
    active_.reset();
    active_dirty_ = false;
  }
  if (Status removed = files_.remove(front.path); !removed) spdlog::warn("{}", removed.error().message);
  bytes_ -= front.size;
  budget_.used_bytes -= front.size;
  if (reading_first_ == front.first_seq) {
    reading_.clear();
    reading_first_ = reading_at_ = 0;
  }
  segments_.pop_front();
}

void Spool::write_ledger() {
  if (!ledger_file_) {
    Result<std::unique_ptr<SpoolFile>> file = files_.open(options_.directory + "/ledger");
    if (!file) {
      last_error_ = file.error().message;
      return;
    }
    ledger_file_ = std::move(*file);
  }
  ledger_unwritten_ = true;
  ++ledger_.generation;
  const std::uint64_t slot = ledger_.generation % 2;
  if (Status written = ledger_file_->write_at(slot * kLedgerSlotBytes, ledger_slot(ledger_)); !written) {
    --ledger_.generation;  // the same slot again: the other one is whole
    last_error_ = written.error().message;
    return;
  }
  ledger_unwritten_ = false;
  ledger_dirty_ = true;
}

void Spool::sync() {
  if (active_dirty_ && active_) {
    if (Status done = active_->sync(); !done) last_error_ = done.error().message;
  }
  active_dirty_ = false;
  if (ledger_dirty_ && ledger_file_) {
    if (Status done = ledger_file_->sync(); !done) last_error_ = done.error().message;
  }
  ledger_dirty_ = false;
}

}  // namespace gibbon::agent
