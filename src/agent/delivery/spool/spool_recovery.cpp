#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "agent/delivery/spool/spool.hpp"

namespace gibbon::agent {

using namespace spool_format;

namespace {

/// "<16 hexadecimal digits>.seg"
bool is_segment_name(const std::string& name) {
  return name.size() == 20 && name.ends_with(".seg") && name.find_first_not_of("0123456789abcdef") == 16;
}
std::uint64_t first_seq_of(const std::string& name) { return std::strtoull(name.c_str(), nullptr, 16); }

}  // namespace

void Spool::recover_ledger() {
  const std::string path = options_.directory + "/ledger";
  Result<std::unique_ptr<SpoolFile>> file = files_.open(path);
  if (!file) return;
  char bytes[2 * kLedgerSlotBytes];
  Result<std::size_t> size = (*file)->read_at(0, bytes);
  if (!size) return;
  const std::string_view text(bytes, *size);
  std::optional<Ledger> best;
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{kLedgerSlotBytes}}) {
    if (at >= text.size()) break;
    std::optional<Ledger> slot = read_ledger_slot(text.substr(at, kLedgerSlotBytes));
    if (slot && (!best || slot->generation > best->generation)) best = slot;
  }
  if (best) ledger_ = *best;
  ledger_file_ = std::move(*file);
}

/// Finds out what a segment holds. An end that was torn in writing is cut off: those entries are still in their ring.
/// `next_first`: where the next segment's numbers begin. A segment that was given up in the middle of a write ends
/// there, whatever stands behind; ~0 for the last one.
Status Spool::recover_segment(const std::string& name, std::uint64_t next_first, const Seen& seen) {
  Segment segment{options_.directory + "/" + name, 0, 0, 0, {}};
  Result<std::unique_ptr<SpoolFile>> file = files_.open(segment.path);
  if (!file) return file.error();
  Result<std::uint64_t> size = (*file)->size();
  if (!size) return size.error();
  std::string bytes(*size, '\0');
  Result<std::size_t> got = (*file)->read_at(0, bytes);
  if (!got) return got.error();
  bytes.resize(*got);

  const std::optional<std::uint64_t> head = read_segment_head(bytes);
  std::uint64_t at = kSegmentHeadBytes, good = at, low = head.value_or(0), count = 0;
  RecordInfo info;
  std::string_view payload;
  bool damaged = false;
  while (find_record(bytes, low, next_first, &at, &info, &payload, &damaged)) {
    if (count++ == 0) segment.first_seq = head.value_or(info.seq);
    low = info.seq + 1;
    good = at;
    segment.note(info.ring_id, info.ring_seq);
    seen(info.ring_id, info.ring_seq);
  }
  if (count == 0) {
    if (!bytes.empty() && bytes.size() > kSegmentHeadBytes)
      spdlog::error("spool segment {} has no entry that can be read; removing it", segment.path);
    return files_.remove(segment.path);
  }
  if (damaged) spdlog::error("spool segment {} is damaged; what can be read of it is kept", segment.path);
  segment.end_seq = next_seq_ = low;
  segment.size = bytes.size();
  if (next_first == ~std::uint64_t{0} && good < bytes.size()) {
    if (Status cut = (*file)->truncate(good); cut.ok()) segment.size = good;
  }
  bytes_ += segment.size;
  budget_.used_bytes += segment.size;
  segments_.push_back(std::move(segment));
  return {};
}

Status Spool::recover(const Seen& seen) {
  recover_ledger();
  Result<std::vector<std::string>> names = files_.list(options_.directory);
  if (!names) return names.error();
  std::erase_if(*names, [](const std::string& name) { return !is_segment_name(name); });
  next_seq_ = 1;
  for (std::size_t i = 0; i < names->size(); ++i) {
    const std::uint64_t next_first = i + 1 < names->size() ? first_seq_of((*names)[i + 1]) : ~std::uint64_t{0};
    if (Status recovered = recover_segment((*names)[i], next_first, seen); !recovered) return recovered;
  }
  next_seq_ = std::max(next_seq_, ledger_.acked_seq + 1);
  // Without a ledger, what came before the first segment was finished: segments go in their order.
  if (ledger_.generation == 0 && !segments_.empty() && segments_.front().first_seq > 1)
    ledger_.acked_seq = ledger_.delivered = segments_.front().first_seq - 1;
  cursor_ = ledger_.acked_seq + 1;
  window_ = Window(cursor_);
  return {};
}

}  // namespace gibbon::agent
