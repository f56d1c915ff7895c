#include "agent/delivery/spool/format.hpp"

#include <cstring>

#include "base/crc32c.hpp"

namespace gibbon::agent::spool_format {
namespace {

constexpr std::string_view kSegmentMagic = "GBNSPOOL";
constexpr std::uint32_t kRecordMagic = 0x43455247;  // "GREC"
constexpr std::uint32_t kLedgerMagic = 0x4447454C;  // "LEGD"
constexpr std::uint32_t kVersion = 1;

void put32(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift);
}
void put64(std::string& out, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(value >> shift);
}
std::uint64_t get(std::string_view bytes, std::size_t at, int width) {
  std::uint64_t value = 0;
  for (int i = 0; i < width; ++i)
    value |= std::uint64_t{static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)])} << (8 * i);
  return value;
}
std::uint32_t get32(std::string_view bytes, std::size_t at) { return static_cast<std::uint32_t>(get(bytes, at, 4)); }
std::uint64_t get64(std::string_view bytes, std::size_t at) { return get(bytes, at, 8); }

}  // namespace

std::string segment_head(std::uint64_t first_seq) {
  std::string out(kSegmentMagic);
  put32(out, kVersion);
  put32(out, 0);
  put64(out, first_seq);
  put32(out, crc32c(out.data(), out.size()));
  put32(out, 0);
  return out;
}

std::optional<std::uint64_t> read_segment_head(std::string_view bytes) {
  if (bytes.size() < kSegmentHeadBytes || !bytes.starts_with(kSegmentMagic) || get32(bytes, 8) != kVersion ||
      get32(bytes, 24) != crc32c(bytes.data(), 24))
    return std::nullopt;
  return get64(bytes, 16);
}

void append_record(const RecordInfo& info, std::string_view payload, std::string& out) {
  const std::size_t start = out.size();
  put32(out, kRecordMagic);
  put32(out, 0);
  put32(out, static_cast<std::uint32_t>(payload.size()));
  put32(out, 0);
  put64(out, info.seq);
  put64(out, info.ring_id);
  put64(out, info.ring_seq);
  put64(out, info.captured_ms);
  out.append(reinterpret_cast<const char*>(info.entry_id.data()), info.entry_id.size());
  out += payload;
  const std::uint32_t crc = crc32c(out.data() + start + 8, out.size() - start - 8);
  for (int i = 0; i < 4; ++i) out[start + 4 + static_cast<std::size_t>(i)] = static_cast<char>(crc >> (8 * i));
  out.resize(start + record_bytes(payload.size()), '\0');
}

Found read_record(std::string_view bytes, RecordInfo* info, std::string_view* payload, std::uint64_t* size) {
  if (bytes.size() < kRecordHeadBytes) {
    *size = kRecordHeadBytes;
    return Found::kIncomplete;
  }
  const std::uint32_t length = get32(bytes, 8);
  if (get32(bytes, 0) != kRecordMagic || length > kMaxPayload || get32(bytes, 12) != 0) return Found::kDamaged;
  *size = record_bytes(length);
  if (bytes.size() < *size) return Found::kIncomplete;
  if (crc32c(bytes.data() + 8, kRecordHeadBytes - 8 + length) != get32(bytes, 4)) return Found::kDamaged;
  info->seq = get64(bytes, 16);
  info->ring_id = get64(bytes, 24);
  info->ring_seq = get64(bytes, 32);
  info->captured_ms = get64(bytes, 40);
  std::memcpy(info->entry_id.data(), bytes.data() + 48, info->entry_id.size());
  *payload = bytes.substr(kRecordHeadBytes, length);
  return Found::kRecord;
}

std::string ledger_slot(const Ledger& ledger) {
  std::string out;
  put32(out, kLedgerMagic);
  put32(out, kVersion);
  put64(out, ledger.generation);
  put64(out, ledger.acked_seq);
  put64(out, ledger.delivered);
  for (std::size_t i = 0; i < kLossSlots; ++i) put64(out, i < record::kLossReasons ? ledger.lost[i] : 0);
  put32(out, crc32c(out.data(), out.size()));
  out.resize(kLedgerSlotBytes, '\0');
  return out;
}

std::optional<Ledger> read_ledger_slot(std::string_view bytes) {
  constexpr std::size_t kCovered = 32 + 8 * kLossSlots;
  if (bytes.size() < kCovered + 4 || get32(bytes, 0) != kLedgerMagic || get32(bytes, 4) != kVersion ||
      get32(bytes, kCovered) != crc32c(bytes.data(), kCovered))
    return std::nullopt;
  Ledger ledger;
  ledger.generation = get64(bytes, 8);
  ledger.acked_seq = get64(bytes, 16);
  ledger.delivered = get64(bytes, 24);
  for (std::size_t i = 0; i < record::kLossReasons; ++i) ledger.lost[i] = get64(bytes, 32 + 8 * i);
  return ledger;
}

}  // namespace gibbon::agent::spool_format
