// The spool's bytes, pinned: what docs/spool-format.md says is what lies on disks already.

#include "agent/delivery/spool/format.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gibbon::agent::spool_format {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

RecordInfo example() {
  RecordInfo info{7, 0x1122334455667788, 9, 1753298422993, {}};
  for (std::size_t i = 0; i < info.entry_id.size(); ++i) info.entry_id[i] = static_cast<std::uint8_t>(i);
  return info;
}

TEST(SpoolFormat, SegmentHead) {
  EXPECT_EQ(hex(segment_head(0x0102)),
            "47424e53504f4f4c"  // GBNSPOOL
            "0100000000000000"
            "0201000000000000"
            "95cf16b500000000");
  EXPECT_EQ(read_segment_head(segment_head(0x0102)), 0x0102u);
}

TEST(SpoolFormat, Record) {
  std::string bytes;
  append_record(example(), "{\"a\":1}", bytes);
  EXPECT_EQ(hex(bytes),
            "47524543a878d642"  // GREC
            "0700000000000000"
            "0700000000000000"
            "8877665544332211"
            "0900000000000000"
            "d1ccba3898010000"
            "000102030405060708090a0b0c0d0e0f"
            "7b2261223a317d00");
  EXPECT_EQ(bytes.size(), record_bytes(7));
}

TEST(SpoolFormat, Ledger) {
  Ledger ledger{3, 20, 18, {}};
  ledger.lost[1] = 2;
  const std::string bytes = ledger_slot(ledger);
  EXPECT_EQ(hex(bytes.substr(0, 48)),
            "4c45474401000000"  // LEGD
            "0300000000000000"
            "1400000000000000"
            "1200000000000000"
            "0000000000000000"
            "0200000000000000");
  EXPECT_EQ(hex(bytes.substr(160, 4)), "f2ed2862");
  EXPECT_EQ(bytes.size(), kLedgerSlotBytes);
}

TEST(SpoolFormat, WhatIsWrittenIsRead) {
  std::string bytes;
  append_record(example(), "hello", bytes);
  RecordInfo info;
  std::string_view payload;
  std::uint64_t size = 0;
  ASSERT_EQ(read_record(bytes, &info, &payload, &size), Found::kRecord);
  EXPECT_EQ(payload, "hello");
  EXPECT_EQ(size, bytes.size());
  EXPECT_EQ(info.seq, 7u);
  EXPECT_EQ(info.ring_id, 0x1122334455667788u);
  EXPECT_EQ(info.ring_seq, 9u);
  EXPECT_EQ(info.captured_ms, 1753298422993u);
  EXPECT_EQ(info.entry_id, example().entry_id);

  Ledger ledger{3, 20, 18, {}};
  ledger.lost[1] = 2;
  const auto read = read_ledger_slot(ledger_slot(ledger));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->acked_seq, 20u);
  EXPECT_EQ(read->delivered, 18u);
  EXPECT_EQ(read->lost[1], 2u);
}

TEST(SpoolFormat, EveryFlippedBitIsFound) {
  std::string record;
  append_record(example(), "hello", record);
  const std::size_t covered = kRecordHeadBytes + 5;
  for (std::size_t bit = 0; bit < covered * 8; ++bit) {
    std::string damaged = record;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    RecordInfo info;
    std::string_view payload;
    std::uint64_t size = 0;
    EXPECT_NE(read_record(damaged, &info, &payload, &size), Found::kRecord) << "bit " << bit;
  }
  const std::string slot = ledger_slot({3, 20, 18, {}});
  for (std::size_t bit = 0; bit < 164 * 8; ++bit) {
    std::string damaged = slot;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(read_ledger_slot(damaged)) << "bit " << bit;
  }
}

TEST(SpoolFormat, ATornRecordIsIncomplete) {
  std::string record;
  append_record(example(), "hello", record);
  RecordInfo info;
  std::string_view payload;
  std::uint64_t size = 0;
  for (std::size_t length = 0; length < record.size(); ++length) {
    EXPECT_EQ(read_record(std::string_view(record).substr(0, length), &info, &payload, &size), Found::kIncomplete);
  }
}

}  // namespace
}  // namespace gibbon::agent::spool_format
